"""Pages of meetings: planning, members and evidence, sitting."""
