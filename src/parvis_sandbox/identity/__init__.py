"""The State's identity providers as seen from a client: FranceConnect v2, FranceConnect+ and ProConnect;
and the directory of a commune."""

from parvis_sandbox.identity.service import Identity, start

__all__ = ["Identity", "start"]
