"""Certificates, electronic signatures, seals and time-stamps (eIDAS, PAdES EN 319 142, RFC 3161)."""
