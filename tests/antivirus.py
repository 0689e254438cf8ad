"""A daemon in the place of ClamAV, for the tests that need a scan."""

import socket
import struct
import threading

import pytest


@pytest.fixture
def clamd(tmp_path, settings):
    """A daemon that speaks INSTREAM and recognises the word « virus »."""
    path = str(tmp_path / "clamd.sock")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen()

    def serve():
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client, client.makefile("rb") as stream:
                assert stream.read(10) == b"zINSTREAM\0"
                content = b""
                while size := struct.unpack(">I", stream.read(4))[0]:
                    content += stream.read(size)
                found = b"virus" in content
                client.sendall(b"stream: Test-Signature FOUND\0" if found else b"stream: OK\0")

    threading.Thread(target=serve, daemon=True).start()
    settings.PARVIS_CLAMD_SOCKET = path
    yield path
    server.close()
