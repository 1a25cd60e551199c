"""The API *Recherche d'entreprises* of the tests: its real answers over HTTP on loopback, and its bad days."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

REPONSES = Path(__file__).with_name("recherche_entreprises")


class Annuaire(ThreadingHTTPServer):
    """Answers what it is told to: ``days`` holds what becomes of each next request, then the days are good."""

    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.days: list[str] = []
        self.asked: list[tuple[str, float]] = []
        self.over = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request, client_address):
        """A client that hangs up is one of the things that are tested."""


class _Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Nothing on the console of the tests."""

    def do_GET(self):
        address = urlsplit(self.path)
        siren = parse_qs(address.query).get("q", [""])[0]
        self.server.asked.append((siren, time.monotonic()))
        day = self.server.days.pop(0) if self.server.days else ""
        code, _, after = day.partition(" ")
        if code.isdecimal():
            headers = {"Retry-After": after} if after else {}
            return self._send(int(code), b"{}", Location=f"{self.server.url}/elsewhere", **headers)
        match day:
            case "silent":
                return self.server.over.wait(10)
            case "slow":
                return self._drip()
            case "cut":
                self.send_response(200)
                self.send_header("Content-Length", "1000")
                self.end_headers()
                return self.wfile.write(b'{"results": [')
            case "huge":
                return self._send(200, b'{"results": ["' + b"x" * 2_000_000 + b'"]}')
            case "deep":
                return self._send(200, b"[" * 100_000)
            case "garbage":
                return self._send(200, b"<html>\xff maintenance</html>")
            case "list":
                return self._send(200, b"[1, 2]")
        file = REPONSES / f"{siren}.json"
        return self._send(200, file.read_bytes() if file.exists() else json.dumps({"results": []}).encode())

    def _drip(self):
        """One byte at a time, for longer than anybody waits."""
        self.send_response(200)
        self.end_headers()
        for _ in range(100):
            self.wfile.write(b" ")
            self.wfile.flush()
            if self.server.over.wait(0.05):
                break

    def _send(self, status: int, body: bytes, **headers):
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
