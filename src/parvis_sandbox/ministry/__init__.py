"""The ministry's @CTES platform, simulated: archives in over HTTPS with a client certificate, e-mails out.

Nothing that passes here reaches the State or has any legal value.
"""

from parvis_sandbox.ministry.service import Ministry, start

__all__ = ["Ministry", "start"]
