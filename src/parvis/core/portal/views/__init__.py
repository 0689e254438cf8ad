"""Pages of the portal: homes, space, help, announcements, hosts, search."""
