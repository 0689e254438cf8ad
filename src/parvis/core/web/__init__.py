"""What every page shares: layouts, components, themes, navigation, error pages, health."""
