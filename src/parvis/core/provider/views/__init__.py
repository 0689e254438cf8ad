"""Pages and endpoints of the provider."""
