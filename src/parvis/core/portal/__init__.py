"""Public homes, the citizen's space, announcements, help."""
