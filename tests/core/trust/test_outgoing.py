"""Addresses found in certificates are asked only when the operator allowed their host."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

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
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"x" * (5000 if self.path == "/long" else 10))

        def log_message(self, *args):
            pass

    running = HTTPServer(("127.0.0.1", 0), Handler)
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
