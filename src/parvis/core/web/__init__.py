"""What every page shares: layouts, components, the theme of each organisation, navigation, error pages, health."""
