"""Official tabular formats of open data, as pure functions."""
