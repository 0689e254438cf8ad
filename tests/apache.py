"""A real Apache HTTP server of the system for tests, on the loopback, with the modules that a site would load."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

MODULES = Path("/usr/lib/apache2/modules")
BASE_MODULES = ("mpm_event", "authn_core", "authz_core", "authz_user", "dir", "env", "headers", "mime", "setenvif")
PROJECT = Path(__file__).resolve().parents[1]


def program() -> str | None:
    return shutil.which("apache2", path=f"{os.environ.get('PATH', '')}{os.pathsep}/usr/sbin")


def needs(module: str) -> pytest.MarkDecorator:
    """Skip, saying so, where Apache or one of its modules is not installed."""
    there = program() is not None and (MODULES / f"mod_{module}.so").exists()
    return pytest.mark.skipif(not there, reason=f"Apache with mod_{module} is not installed (bin/setup --tests)")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def folder() -> Iterator[Path]:
    """A folder that Apache's own user may read: it leaves root when it is started by root."""
    path = Path(tempfile.mkdtemp(prefix="parvis-apache-"))
    path.chmod(0o755)
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)


@contextmanager
def serving(root: Path, port: int, modules: tuple[str, ...], body: str) -> Iterator[str]:
    """Serve ``root/pages`` at ``http://localhost:port`` with ``body`` in the configuration; gives that address."""
    (root / "pages").mkdir(exist_ok=True)
    lines = [f"LoadModule {name}_module {MODULES / f'mod_{name}.so'}" for name in (*BASE_MODULES, *modules)]
    user = "User www-data\nGroup www-data" if os.getuid() == 0 else ""
    (root / "apache.conf").write_text(
        "\n".join(lines)
        + f"""
ServerRoot {root}
ServerName localhost
Listen 127.0.0.1:{port}
PidFile {root}/apache.pid
ErrorLog {root}/error.log
LogLevel warn
{user}
TypesConfig /etc/mime.types
DocumentRoot {root}/pages
DirectoryIndex index.html
<Directory {root}/pages>
Require all granted
</Directory>
{body}
"""
    )
    command = [str(program()), "-f", str(root / "apache.conf"), "-D", "FOREGROUND"]
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            _until_it_listens(process, port)
            yield f"http://localhost:{port}"
        finally:
            process.terminate()
            process.wait(20)


def _until_it_listens(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise AssertionError(f"Apache stopped: {process.stderr.read().decode() if process.stderr else ''}")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("Apache does not listen")
