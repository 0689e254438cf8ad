"""Tags of the pages of acts."""
