"""FranceConnect and ProConnect as sources of identity."""
