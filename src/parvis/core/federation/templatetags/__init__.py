"""Template tags of the federation."""
