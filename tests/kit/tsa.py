"""An authority of time stamps on this machine: OpenSSL answers, behind a small HTTP server (RFC 3161, 3.4)."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

_CONFIG = """
[req]
distinguished_name = dn
[dn]
[ca]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
[tsa]
extendedKeyUsage = critical,timeStamping
keyUsage = critical,digitalSignature
[ts]
serial = serial
signer_cert = tsa.pem
signer_key = tsa.key
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256
ess_cert_id_alg = sha256
"""


class Authority:
    """Answers while ``up``; its certificate is ``root``."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.up, self.asked, self.url = folder, True, 0, ""
        (folder / "ts.cnf").write_text(_CONFIG)
        (folder / "serial").write_text("01")
        self._run("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=root -config ts.cnf "
                  "-extensions ca -days 9")  # fmt: skip
        self._run("req -newkey rsa:2048 -nodes -keyout tsa.key -out tsa.csr -subj /CN=tsa -config ts.cnf")
        self._run("x509 -req -in tsa.csr -CA ca.pem -CAkey ca.key -out tsa.pem -extfile ts.cnf -extensions tsa -days 9")
        self.root = (folder / "ca.pem").read_bytes()

    def stamp(self, asked: bytes) -> bytes:
        """Answer one request."""
        (self.folder / "q.tsq").write_bytes(asked)
        self._run("ts -reply -config ts.cnf -section ts -queryfile q.tsq -out a.tsr")
        return (self.folder / "a.tsr").read_bytes()

    def _run(self, words: str) -> None:
        subprocess.run(["openssl", *words.split()], cwd=self.folder, check=True, capture_output=True, timeout=60)


@contextmanager
def authority(folder: Path) -> Iterator[Authority]:
    """Run an authority while the context lasts."""
    made = Authority(folder)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            made.asked += 1
            asked = self.rfile.read(int(self.headers["Content-Length"]))
            if not made.up:
                self.send_error(503)
                return
            answer = made.stamp(asked)
            self.send_response(200)
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.url = f"http://127.0.0.1:{server.server_port}/tsr"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
