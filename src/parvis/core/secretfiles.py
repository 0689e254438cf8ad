"""Files that hold secrets: readable by the platform alone, whole or absent."""

import os
from pathlib import Path


def write_secret(path: Path, content: bytes) -> None:
    """Write ``content`` at ``path`` for the owner only; a reader sees the former content or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)
