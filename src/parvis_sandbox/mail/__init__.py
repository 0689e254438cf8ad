"""A mail server for demo and tests: SMTP in, IMAP4rev1 and a web page out, every message kept as .eml.

Any address is accepted and any password opens its mailbox: invented mail, on loopback only.
"""

from parvis_sandbox.mail.service import Post, start

__all__ = ["Post", "start"]
