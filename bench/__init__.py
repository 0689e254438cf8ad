"""Measures of speed and memory, one module each.

``python -m bench.NAME`` prints JSON lines; the last one holds ``ratio``, what was measured against what is
asked: 1 or more when the target is met.
"""
