"""The process that examines signatures and key files for this one: see ``judging``, which it runs."""

import atexit
import os
from pathlib import Path

from parvis.core.documents.workshop import Workshop

# The only part of the environment that it sees: how to reach the certification services.
REACHING = ("http_proxy", "https_proxy", "no_proxy", "requests_ca_bundle")

examiner = Workshop(
    Path(__file__).with_name("judging.py"),
    {name: value for name, value in os.environ.items() if name.lower() in REACHING},
)
atexit.register(examiner.close)
