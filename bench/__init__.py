"""Measures of speed and memory. Each module is one bench: ``python -m bench.NAME`` prints JSON lines, and on the last
one ``ratio``: what was measured against what is asked, 1 or more when the target is met."""
