"""The look of each organisation: versions, editor, preview, images."""
