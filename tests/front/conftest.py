"""The real itl-front and itl-keyholder with SoftHSM, around them a harness that plays supervisor and signer."""
import base64
import http.client
import json
import os
import queue
import ssl
import subprocess
import threading
import time

import pytest

BIN = os.environ["ITL_BIN"]
HARNESS = os.environ["ITL_HARNESS"]


def openssl(*arguments, **more):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, **more).stdout


def make_ca(folder, curve="secp384r1"):
    openssl("ecparam", "-name", curve, "-genkey", "-noout", "-out", f"{folder}/ca.key")
    openssl("req", "-x509", "-new", "-key", f"{folder}/ca.key", "-sha384", "-subj", "/CN=front test CA", "-days", "30",
            "-out", f"{folder}/ca.pem")


def make_leaf(folder, public_key, name, *, days="10", common_name="localhost", extra=()):
    """A certificate for the public key, and the chain file with its issuer."""
    with open(f"{folder}/{name}.ext", "w") as f:
        f.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n")
    openssl("x509", "-new", "-force_pubkey", public_key, "-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key", "-sha384",
            "-subj", f"/CN={common_name}", "-days", days, "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem",
            *extra)
    with open(f"{folder}/{name}.chain", "w") as out:
        out.write(open(f"{folder}/{name}.pem").read() + open(f"{folder}/ca.pem").read())
    return f"{folder}/{name}.chain"


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    @property
    def json(self):
        return json.loads(self.body)


class Appliance:
    def __init__(self, folder, chain, **settings):
        self.folder = folder
        arguments = [f"{name}={value}" for name, value in settings.items()]
        self.log_path = f"{folder}/log-{time.monotonic_ns()}"
        self.log = open(self.log_path, "w")
        self.process = subprocess.Popen([HARNESS, "run", BIN, f"{folder}/store", chain, *arguments], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=self.log, text=True)
        self.lines = queue.Queue()
        self.seen = []
        threading.Thread(target=self._read, daemon=True).start()
        self.port = int(self.expect("port ").split()[1])

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def expect(self, start, seconds=15):
        """The next line that begins so; others are kept in `seen`."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.lines.get(timeout=max(0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no '{start}'; seen {self.seen}; log:\n{open(self.log_path).read()}") from None
            self.seen.append(line)
            if line.startswith(start):
                return line

    def forget(self):
        """Drops the lines that nobody waited for."""
        while not self.lines.empty():
            self.seen.append(self.lines.get())

    def tell(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ready(self):
        self.expect("reply front setup ok")
        return self

    def stop(self):
        """SoftHSM rewrites its token file at each login: a keyholder killed in that moment takes the token with it."""
        if self.process.poll() is None:
            self.forget()
            if not any(line.startswith("reply keyholder setup") for line in self.seen):
                self.expect("reply keyholder setup")
            self.process.kill()
        self.process.wait()
        self.log.close()

    def log_text(self, *expected, seconds=15):
        """The log, once it holds these: a request is logged after its answer was sent."""
        end = time.monotonic() + seconds
        while True:
            text = open(self.log_path).read()
            if all(part in text for part in expected) or time.monotonic() > end:
                return text
            time.sleep(0.02)

    def tls(self):
        context = ssl.create_default_context(cafile=f"{self.folder}/ca.pem")
        return context

    def connection(self, timeout=15, context=None):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=context or self.tls(), timeout=timeout)

    def request(self, method, path, body=None, headers=None, timeout=15, context=None):
        if isinstance(body, (dict, list)):
            body = json.dumps(body)
        sent = dict(headers or {})
        if body is not None:
            sent.setdefault("Content-Type", "application/json")
        connection = self.connection(timeout, context)
        try:
            connection.request(method, path, body=body, headers=sent)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def get(self, path, **headers):
        return self.request("GET", path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    def post(self, path, body, **more):
        return self.request("POST", path, body, **more)

    def raw(self, data, *, read=True, timeout=15):
        """Sends bytes over TLS and returns all that comes back."""
        import socket
        sock = socket.create_connection(("127.0.0.1", self.port), timeout=timeout)
        tls = self.tls().wrap_socket(sock, server_hostname="localhost")
        tls.sendall(data)
        if not read:
            return tls
        got = b""
        try:
            while chunk := tls.recv(65536):
                got += chunk
                if b"\r\n\r\n" in got:
                    head, _, rest = got.partition(b"\r\n\r\n")
                    for line in head.split(b"\r\n"):
                        if line.lower().startswith(b"content-length:") and len(rest) >= int(line.split(b":")[1]):
                            return got
        finally:
            tls.close()
        return got


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    path = str(tmp_path_factory.mktemp("front"))
    make_ca(path)
    subprocess.run([HARNESS, "prepare", f"{path}/store"], check=True)
    make_leaf(path, f"{path}/store/public.pem", "server")
    return path


@pytest.fixture(scope="session")
def start(folder):
    """Starts an appliance with settings; all are stopped at the end."""
    started = []

    def start_one(chain=None, **settings):
        appliance = Appliance(folder, chain or f"{folder}/server.chain", **settings)
        started.append(appliance)
        return appliance

    yield start_one
    for appliance in started:
        appliance.stop()


@pytest.fixture(scope="session")
def appliance(start):
    return start().ready()


def b64(data):
    return base64.b64encode(data).decode()
