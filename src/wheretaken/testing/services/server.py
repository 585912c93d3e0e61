"""A fake service on a real loopback port, for programs that cannot be handed a transport."""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, cast

from wheretaken.testing.services.fake import Asked

if TYPE_CHECKING:
    from collections.abc import Generator

    from wheretaken.testing.services.fake import Delivery, FakeService


@contextlib.contextmanager
def serve(fake: FakeService, port: int = 0) -> Generator[str]:
    """Serve a fake at 127.0.0.1 in a thread, by default on a free port; yields its base URL."""
    server = _Server(fake, port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.stopping.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def __init__(self, fake: FakeService, port: int) -> None:
        self.fake = fake
        self.stopping = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        # A client that goes away in the middle of a reply is what mishaps are for.
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(cast("socket.socket", request), cast("tuple[str, int]", client_address))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Headers and body are written apart; without this, each reply would wait for an acknowledgement.
    disable_nagle_algorithm = True

    def do_GET(self) -> None:
        server = cast("_Server", self.server)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        host = self.headers.get("Host", "").partition(":")[0]
        asked = Asked.of(self.command, host, self.path, dict(self.headers.items()), body, time.monotonic())
        delivery = server.fake.begin(asked)
        try:
            self._deliver(delivery, server.stopping)
        finally:
            server.fake.end()

    do_POST = do_GET  # noqa: N815 - the name that the base class looks for

    def _deliver(self, delivery: Delivery, stopping: threading.Event) -> None:
        if delivery.delay:
            stopping.wait(min(delivery.delay, threading.TIMEOUT_MAX))
        if delivery.reset or stopping.is_set():
            self._reset()
            return
        reply = delivery.reply
        self.send_response(reply.status)
        headers = {
            "Content-Type": reply.content_type,
            "Content-Length": str(len(reply.body)),
            **reply.headers,
        }
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if delivery.after_half == "goes on":
            self.wfile.write(reply.body)
            return
        self.close_connection = True
        self.wfile.write(reply.body[: len(reply.body) // 2])
        if delivery.after_half == "hangs":
            stopping.wait()

    def _reset(self) -> None:
        # Closing a socket that lingers for no time sends RST instead of FIN.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name in the base class
        """Stay silent: what was asked is in the fake."""
