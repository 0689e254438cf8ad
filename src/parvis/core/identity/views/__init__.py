"""Pages of the life of an account; each module holds one part of it."""
