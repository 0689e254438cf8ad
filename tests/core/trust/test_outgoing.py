"""Addresses found in certificates are asked only when the operator allowed their host."""

import contextlib
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from parvis.core.trust import outgoing
from parvis.core.trust.outgoing import ServiceUnreachable, exchange


@pytest.fixture(scope="module")
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            if self.path == "/redirect":
                self.send_response(302)
                self.send_header("Location", "http://169.254.169.254/latest")
                self.end_headers()
                return
            if self.path == "/headers":
                with contextlib.suppress(OSError):
                    for _ in range(40):
                        self.wfile.write(b"H")
                        time.sleep(0.1)
                return
            self.send_response(200)
            self.end_headers()
            if self.path == "/drip":
                with contextlib.suppress(OSError):
                    for _ in range(40):
                        self.wfile.write(b"x")
                        time.sleep(0.1)
                return
            self.wfile.write(b"x" * (5000 if self.path == "/long" else 10))

        def log_message(self, *args):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"127.0.0.1:{running.server_address[1]}"
    running.shutdown()
    running.server_close()


def test_an_allowed_host_is_read(server):
    assert exchange(f"http://{server}/", allowed_hosts=frozenset({server})).content == b"x" * 10
    assert exchange(f"http://{server}/", allowed_hosts=frozenset({"127.0.0.1"})).content == b"x" * 10


@pytest.mark.parametrize(
    "url",
    [
        "http://{0}/",
        "http://localhost/",
        "file:///etc/passwd",
        "ftp://{0}/",
        "http://{0}@evil.test/",
        "ldap://{0}/",
    ],
)
def test_anything_else_is_refused_before_any_connection(server, url):
    with pytest.raises(ServiceUnreachable):
        exchange(url.format(server), allowed_hosts=frozenset({"allowed.test"}))


def test_another_port_of_an_allowed_host_with_port_is_refused(server):
    with pytest.raises(ServiceUnreachable):
        exchange("http://127.0.0.1:1/", allowed_hosts=frozenset({server}))


def test_redirections_are_not_followed(server):
    with pytest.raises(ServiceUnreachable) as refusal:
        exchange(f"http://{server}/redirect", allowed_hosts=frozenset({server}))
    assert refusal.value.data["reason"] == "status 302"


def test_an_answer_over_the_limit_is_refused(server):
    with pytest.raises(ServiceUnreachable):
        exchange(f"http://{server}/long", allowed_hosts=frozenset({server}), limit=4096)


@pytest.mark.parametrize("path", ["/drip", "/headers"])
def test_an_answer_that_comes_byte_by_byte_is_left_at_the_appointed_time(server, monkeypatch, path):
    monkeypatch.setattr(outgoing, "TOTAL_TIME", 0.4)
    started = time.monotonic()
    with pytest.raises(ServiceUnreachable) as refusal:
        exchange(f"http://{server}{path}", allowed_hosts=frozenset({server}))
    assert time.monotonic() - started < 1.5
    assert refusal.value.data["reason"] == "too slow"
