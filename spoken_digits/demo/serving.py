"""The page on localhost: a browser gives it the microphone there."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from spoken_digits.errors import UserError

HOST = "127.0.0.1"
"""This machine alone: no other one may open the page."""


def serve(content: bytes, port: int, ready: Callable[[str], None]) -> None:
    """Serve one page until interrupted.

    Parameters
    ----------
    content
        The page, HTML in UTF-8.
    port
        Of localhost; 0: any that is free.
    ready
        Called with the address when a browser may come.

    Raises
    ------
    UserError
        The port cannot be used.
    """
    try:
        server = ThreadingHTTPServer((HOST, port), _handler(content))
    except OSError as error:
        raise UserError(
            f"port {port} cannot be used ({error.strerror}): choose another one with --port, "
            "or 0 for any that is free"
        ) from None
    with server:
        ready(f"http://localhost:{server.server_port}/")
        server.serve_forever()


def _handler(content: bytes) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers for the one page, and for nothing else."""

        def do_GET(self) -> None:
            is_page = self.path.partition("?")[0] == "/"
            body = content if is_page else b"There is one page here: /\n"
            self.send_response(HTTPStatus.OK if is_page else HTTPStatus.NOT_FOUND)
            kind = "text/html" if is_page else "text/plain"
            self.send_header("Content-Type", f"{kind}; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.send_header("X-Content-Type-Options", "nosniff")
            self.send_header("Cache-Control", "no-store")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *arguments: Any) -> None:
            """Say nothing: whoever runs it is the one who reads the page."""

    return Handler
