#!/usr/bin/python3
"""A TLS server that behaves badly on request, for tests of the HTTPS client.

usage: tls_server.py FOLDER [--tls1.2]
Makes certificates in FOLDER, writes one line "PORT" to standard output when ready, appends "METHOD PATH" to FOLDER/requests for every request.
"""
import http.server
import ssl
import subprocess
import sys


def openssl(*arguments):
    subprocess.run(["openssl", *arguments], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make_certificates(folder):
    """self.pem: the server's, for localhost; other.pem: somebody else's; named.pem: for another host."""
    for name, common_name, alt in (("self", "localhost", "DNS:localhost,IP:127.0.0.1"),
                                   ("other", "localhost", "DNS:localhost,IP:127.0.0.1"),
                                   ("named", "elsewhere.example", "DNS:elsewhere.example")):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-sha384", "-days", "2",
                "-subj", f"/CN={common_name}", "-addext", f"subjectAltName={alt}",
                "-keyout", f"{folder}/{name}.key", "-out", f"{folder}/{name}.pem")


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *arguments):
        """Clients that hang up are what this is for."""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    def answer(self, status, body=b"{}", headers=(), length=None):
        self.send_response(status)
        headers = dict(headers)
        headers.setdefault("Content-Type", "application/json")
        headers.setdefault("Content-Length", str(len(body) if length is None else length))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def handle_any(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(f"{self.server.folder}/requests", "a") as log:
            log.write(f"{self.command} {self.path} {self.client_address[1]}\n")
        if self.path == "/echo":
            self.answer(200, body)
        elif self.path == "/header":
            self.answer(200, (self.headers.get("X-Test") or "").encode(), {"Content-Type": "Text/Plain; charset=utf-8"})
        elif self.path == "/redirect":
            self.answer(302, b"", {"Location": "/echo"})
        elif self.path == "/big":
            self.answer(200, b"x" * (3 << 20))
        elif self.path == "/endless":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            try:
                while True:
                    self.wfile.write(b"10000\r\n" + b"y" * 0x10000 + b"\r\n")
            except OSError:
                self.close_connection = True
        elif self.path == "/cut":
            self.answer(200, b"half", length=100)
            self.close_connection = True
        elif self.path == "/limited":
            self.answer(429, b'{"detail":"Too many.","reason":"rate_limited"}', {"Retry-After": "17"})
        elif self.path == "/gone":
            self.close_connection = True
        else:
            self.answer(404, b'{"detail":"There is no such resource.","reason":"not_found"}')

    do_GET = do_POST = do_DELETE = handle_any


def serve(handler):
    """For other test servers as well: they bring a handler of their own."""
    folder = sys.argv[1]
    make_certificates(folder)
    name = "named" if "--named" in sys.argv else "self"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(f"{folder}/{name}.pem", f"{folder}/{name}.key")
    if "--tls1.2" in sys.argv:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = Server(("127.0.0.1", 0), handler)
    server.folder = folder
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    print(server.socket.getsockname()[1], flush=True)
    server.serve_forever()


if __name__ == "__main__":
    serve(Handler)
