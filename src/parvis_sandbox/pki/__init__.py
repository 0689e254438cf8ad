"""A small public-key infrastructure for demo and tests: CA, OCSP, CRL and RFC 3161 time-stamping on one port.

Nothing it issues has any legal value, and every certificate says so in its subject.
"""

from parvis_sandbox.pki.service import Pki, start

__all__ = ["Pki", "start"]
