"""Examines signatures and key files on behalf of Parvis, in a process of its own with bounded memory.

Run as a script, it reads one JSON order per line and answers one JSON line, as ``documents/inspection.py`` does:
{"do": "validate", "path": …, "policy": …, "at": …} gives the report of a PDF; {"do": "open", "content": …,
"passphrase": …} says what is wrong with a PKCS#12. It reads no setting, holds no database connection, and the caller
kills a process that lasts too long.
"""

import base64
import contextlib
import json
import resource
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

MEMORY = 2 * 1024 * 1024 * 1024


def validate(order: dict[str, Any]) -> dict[str, Any]:
    """The report on the PDF at ``path``, as of ``at``."""
    from parvis.core.trust.policy import TrustPolicy
    from parvis.core.trust.validation import judge_pdf

    policy, at = TrustPolicy.from_dict(order["policy"]), datetime.fromisoformat(order["at"])
    return {"report": judge_pdf(Path(order["path"]).read_bytes(), policy, at).to_dict()}


def open_key(order: dict[str, Any]) -> dict[str, Any]:
    """Try a PKCS#12 with its passphrase; ``problem`` is the French sentence that refuses it."""
    from parvis.core.trust.identities import IdentityUnusable, from_pkcs12

    try:
        from_pkcs12(base64.b64decode(order["content"]), order["passphrase"])
    except IdentityUnusable as error:
        return {"problem": error.sentence}
    return {"problem": ""}


ORDERS = {"validate": validate, "open": open_key}


def answer(order: dict[str, Any]) -> dict[str, Any]:
    """Result of one order; every failure becomes a value."""
    try:
        return ORDERS[order["do"]](order)
    except Exception as error:  # the process serves the next order whatever happened
        return {"error": f"{type(error).__name__}: {error}"[:300]}


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[3]))
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(json.loads(line))) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
