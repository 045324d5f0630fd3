"""The real appliance for tests: real binaries, SoftHSM tokens, SQLCipher, TLS; nodes are swtpm.

As root its processes get numeric accounts of their own, as an ordinary user they share ours. Provisioning
takes most of a second, so it is done once and copied.
"""

import base64
import hashlib
import http.client
import json
import os
import random
import re
import shutil
import signal
import socket
import ssl
import subprocess
import tempfile
import time

BIN = os.environ["ITL_BIN_DIR"]
SOURCE = os.environ["ITL_SOURCE_DIR"]
TOOLS = os.path.join(os.path.dirname(BIN), "tests")
ROOT = os.geteuid() == 0
ACCOUNTS = {"front": "64101", "keyholder": "64102", "signer": "64103", "courier": "64104"}
SOFTHSM = next(p for p in ("/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so")
               if os.path.exists(p))
CHILDREN = ("courier", "keyholder", "signer", "front")

BASE_WORKER = """\
version: v1alpha1
debug: false
persist: true
machine:
    type: worker
    token: wtoken.0123456789abcdef # comes with the cluster
    install:
        wipe: false
cluster:
    secret: the-cluster-secret-value
    controlPlane:
        endpoint: https://cluster.example:6443
---
apiVersion: v1alpha1
kind: HostnameConfig
auto: stable
"""
CLUSTER_SECRET = b"the-cluster-secret-value"


def clean_environment(extra=None):
    """Nothing of the caller's that the programs would take for a setting."""
    environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": os.environ.get("HOME", "/")}
    environment.update(extra or {})
    return environment


def run(*arguments, check=True, timeout=60, **options):
    options.setdefault("env", clean_environment())
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=timeout, stdin=subprocess.DEVNULL, **options)
    if check and done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


def free_port():
    """Below the range from which the kernel serves outgoing connections, one of which might take it between two starts."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as s:
            try:
                s.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def merged(base, changes):
    """base with the nested changes; a value of None takes the key away."""
    result = dict(base)
    for key, value in changes.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict) and isinstance(result.get(key), dict):
            result[key] = merged(result[key], value)
        else:
            result[key] = value
    return result


def temporary_folder(prefix="itl-"):
    """Short, because Unix sockets live in it; reachable for the processes' own accounts."""
    folder = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    os.chmod(folder, 0o755)
    return folder


class VendorCa:
    """The TPM maker: one swtpm local CA for all nodes of a test run."""

    shared = None

    def __init__(self):
        self.folder = temporary_folder("itl-ca-")
        state = os.path.join(self.folder, "state")
        os.mkdir(state)
        self.write("localca.conf", f"statedir = {state}\nsigningkey = {state}/signkey.pem\n"
                                   f"issuercert = {state}/issuercert.pem\ncertserial = {state}/certserial\n")
        self.write("localca.options", "--tpm-manufacturer id:49544C00\n--tpm-model swtpm\n--tpm-version id:00010001\n"
                                      "--platform-manufacturer ITL\n--platform-version 1\n--platform-model test\n")
        self.config = self.write("setup.conf", "create_certs_tool=/usr/bin/swtpm_localca\n"
                                 f"create_certs_tool_config={self.folder}/localca.conf\n"
                                 f"create_certs_tool_options={self.folder}/localca.options\n"
                                 "active_pcr_banks = sha256,sha384\n")
        self.root = os.path.join(state, "swtpm-localca-rootca-cert.pem")
        self.issuer = os.path.join(state, "issuercert.pem")

    def write(self, name, text):
        path = os.path.join(self.folder, name)
        with open(path, "w") as out:
            out.write(text)
        return path

    @classmethod
    def get(cls):
        if cls.shared is None:
            cls.shared = cls()
            Tpm(cls.shared).stop()  # the first TPM makes the CA's certificates
        return cls.shared


class Tpm:
    """A software TPM with an EK certificate. EKs: RSA-2048 and P-384, or RSA-2048 and P-256 never had by swtpm."""

    def __init__(self, ca=None):
        ca = ca or VendorCa.get()
        self.folder = temporary_folder("itl-tpm-")
        self.socket = os.path.join(self.folder, "tpm")
        run("swtpm_setup", "--tpm2", "--tpmstate", self.folder, "--create-ek-cert", "--pcr-banks", "sha256,sha384",
            "--config", ca.config, "--overwrite")
        self.process = None
        self.start()

    @property
    def tcti(self):
        return f"swtpm:path={self.socket}"

    def start(self):
        self.process = subprocess.Popen(
            ["swtpm", "socket", "--tpm2", "--tpmstate", f"dir={self.folder}",
             "--ctrl", f"type=unixio,path={self.socket}.ctrl", "--server", f"type=unixio,path={self.socket}",
             "--flags", "not-need-init,startup-clear"], env=clean_environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: os.path.exists(self.socket), 10, "swtpm to start")

    def tool(self, *arguments, **options):
        """One of tpm2-tools on this TPM."""
        return run(*arguments, env=clean_environment({"TPM2TOOLS_TCTI": self.tcti}), cwd=self.folder, **options)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def stop(self):
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None
        for name in (self.socket, self.socket + ".ctrl"):
            if os.path.exists(name):
                os.unlink(name)

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


def wait_until(condition, seconds, what):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"waited {seconds} s for {what}")


def is_alive(pid):
    """Not gone, and not just waiting to be waited for. A first thread that ended is no sign: others may still hold the sockets."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            ended = file.read().rsplit(")", 1)[1].split()[0] == "Z"
        return not ended or len(os.listdir(f"/proc/{pid}/task")) > 1
    except OSError:
        return False


class Answer:
    """One HTTP answer."""

    def __init__(self, status, headers, body):
        self.status = status
        self.headers = headers
        self.body = body

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def reason(self):
        return self.json.get("reason")

    def __repr__(self):
        return f"{self.status} {self.body[:300]!r}"


class Appliance:
    """One appliance in a folder of its own. Use as a context manager, or start() and remove()."""

    provisioned = None

    def __init__(self, changes=None, binaries=BIN, base=BASE_WORKER, provision=True):
        self.binaries = binaries
        self.folder = temporary_folder()
        self.state = os.path.join(self.folder, "state")
        self.runtime = os.path.join(self.folder, "run")
        self.config_path = os.path.join(self.folder, "appliance.yaml")
        self.log_path = os.path.join(self.folder, "log")
        self.port = free_port()
        self.process = None
        self.credential = os.path.join(self.folder, "breakglass.json")
        self.environment = clean_environment()
        self.config = merged(self.default_config(), changes or {})
        if provision:
            self.copy_provisioned()
        self.write_config()
        os.makedirs(os.path.join(self.state, "configs"), exist_ok=True)
        if base:
            self.write_base("worker.yaml", base)

    # -- configuration ----------------------------------------------------------------------------------------

    def default_config(self):
        ca = VendorCa.get()

        def token(name):
            return {"module": SOFTHSM,
                    "environment": {"SOFTHSM2_CONF": os.path.join(self.state, f"token-{name}", "softhsm2.conf")}}

        config = {
            "state_directory": self.state,
            "runtime_directory": self.runtime,
            "listen": {"address": f"127.0.0.1:{self.port}", "names": ["localhost", "127.0.0.1"], "workers": 16},
            "hsm": {"ca": token("ca"), "tls": token("tls")},
            "ek_trust": {"roots_directory": os.path.join(self.state, "roots"),
                         "intermediates_directory": os.path.join(self.state, "intermediates")},
            "attestation": {"challenge_interval_ms": 0},
            "limits": {"requests_per_minute_per_address": 1000000},
        }
        if ROOT:
            config["accounts"] = ACCOUNTS
        for name, path in (("roots", ca.root), ("intermediates", ca.issuer)):
            os.makedirs(os.path.join(self.state, name))
            shutil.copy(path, os.path.join(self.state, name))
        os.chmod(os.path.join(self.state), 0o755)
        for name in ("roots", "intermediates"):
            for entry in os.listdir(os.path.join(self.state, name)):
                os.chmod(os.path.join(self.state, name, entry), 0o644)
        return config

    def write_config(self, changes=None):
        """JSON is YAML."""
        self.config = merged(self.config, changes or {})
        with open(self.config_path, "w") as out:
            json.dump(self.config, out, indent=1)

    def write_base(self, name, text):
        path = os.path.join(self.state, "configs", name)
        with open(path, "w") as out:
            out.write(text)
        if ROOT:
            os.chown(os.path.dirname(path), 0, int(ACCOUNTS["signer"]))
            os.chown(path, 0, int(ACCOUNTS["signer"]))
        os.chmod(path, 0o640)

    def provision(self, *options, check=True):
        for name in ("ca", "tls"):
            folder = os.path.join(self.state, f"token-{name}")
            os.makedirs(os.path.join(folder, "objects"), exist_ok=True)
            with open(os.path.join(folder, "softhsm2.conf"), "w") as out:
                out.write(f"directories.tokendir = {folder}/objects\nobjectstore.backend = file\nlog.level = ERROR\n")
        return run(os.path.join(BIN, "itl-provision"), "--config", self.config_path, *options, check=check)

    def copy_provisioned(self):
        """Tokens, keys and certificates of the first appliance; the paths in them are ours afterwards."""
        if Appliance.provisioned is None:
            Appliance.provisioned = self
            self.write_config()
            os.makedirs(os.path.join(self.state, "configs"), exist_ok=True)
            self.provision("--make-pins", "--init-tokens")
            master = temporary_folder("itl-master-")
            Appliance.provisioned = master
            run("cp", "-a", self.state, master)
            return
        for name in ("token-ca", "token-tls", "pins", "pki", "tls", "db"):
            run("cp", "-a", os.path.join(Appliance.provisioned, "state", name), self.state)
        for name in ("ca", "tls"):
            folder = os.path.join(self.state, f"token-{name}")
            with open(os.path.join(folder, "softhsm2.conf"), "w") as out:
                out.write(f"directories.tokendir = {folder}/objects\nobjectstore.backend = file\nlog.level = ERROR\n")

    # -- life -------------------------------------------------------------------------------------------------

    def attestd(self, *arguments, **options):
        options.setdefault("env", self.environment)
        return run(os.path.join(self.binaries, "itl-attestd"), "--config", self.config_path, *arguments, **options)

    def launch(self, prefix=()):
        """Starts it and waits for nothing."""
        log = open(self.log_path, "ab")
        self.process = subprocess.Popen(
            [*prefix, os.path.join(self.binaries, "itl-attestd"), "--config", self.config_path, "run"],
            env=self.environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        log.close()
        return self

    def start(self, seconds=30, prefix=()):
        already = self.log().count('"appliance.ready"')
        self.launch(prefix)

        def ready():
            if self.process.poll() is not None:
                raise AssertionError(f"the appliance ended with {self.process.returncode}:\n{self.log()[-4000:]}")
            return self.log().count('"appliance.ready"') > already

        wait_until(ready, seconds, "the appliance to be ready")
        return self

    def start_refused(self, seconds=30, prefix=()):
        """What it says when it does not start."""
        before = len(self.log())
        self.launch(prefix)
        assert self.process.wait(timeout=seconds) != 0, self.log()
        self.process = None
        return self.log()[before:]

    def stop(self, seconds=20):
        if self.process:
            self.process.terminate()
            status = self.process.wait(timeout=seconds)
            self.process = None
            assert status == 0, f"stopped with {status}:\n{self.log()[-3000:]}"

    def kill(self):
        """Kills the supervisor; its children die with it."""
        if self.process:
            self.process.send_signal(signal.SIGSTOP)  # so that it starts none that we don't know of
            children = self.children().values()
            self.process.kill()
            self.process.wait()
            self.process = None
            wait_until(lambda: not any(is_alive(pid) for pid in children), 10, "the children to die with the supervisor")

    def remove(self):
        try:
            self.kill()
        finally:
            shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        self.remove()

    def log(self):
        try:
            with open(self.log_path, errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def events(self, name):
        found = []
        for line in self.log().splitlines():
            if line.startswith("{") and f'"event":"{name}"' in line:
                found.append(json.loads(line))
        return found

    def children(self):
        """Process name to pid, from /proc: what really runs. Their programs' paths are for root's eyes only."""
        found = {}
        for entry in os.listdir("/proc"):
            if not entry.isdigit():
                continue
            try:
                with open(f"/proc/{entry}/status") as file:
                    status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
            except OSError:
                continue
            if self.process and status.get("PPid") == str(self.process.pid) and status["Name"].startswith("itl-"):
                found[status["Name"][4:]] = int(entry)
        return found

    def signal_child(self, name, number=signal.SIGKILL):
        os.kill(self.children()[name], number)

    def wait_ready(self, seconds=20):
        wait_until(lambda: self.attestd("status", check=False).returncode == 0, seconds, "all processes to run")

    # -- as a client --------------------------------------------------------------------------------------------

    @property
    def url(self):
        return f"https://localhost:{self.port}"

    @property
    def chain(self):
        return os.path.join(self.state, "tls", "chain.pem")

    def context(self, certificate=None, key=None):
        """A client's settings; with a certificate for the handshake, given as two files."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.minimum_version = ssl.TLSVersion.TLSv1_3
        context.load_verify_locations(self.chain)
        if certificate:
            context.load_cert_chain(certificate, key)
        return context

    def request(self, method, path, body=None, headers=None, timeout=20, context=None):
        connection = http.client.HTTPSConnection("localhost", self.port, context=context or self.context(), timeout=timeout)
        try:
            sent = dict(headers or {})
            if body is not None and not isinstance(body, (bytes, str)):
                body = json.dumps(body)
            if body is not None:
                sent.setdefault("Content-Type", "application/json")
            connection.request(method, path, body=body, headers=sent)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        finally:
            connection.close()

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def post(self, path, body, **options):
        return self.request("POST", path, body=body, **options)

    # -- as an operator -------------------------------------------------------------------------------------------

    def break_glass(self, minutes=30):
        self.attestd("breakglass", "open", "--minutes", str(minutes), "--reason", "test", "--output", self.credential)
        return json.load(open(self.credential))

    @property
    def operator_headers(self):
        return {"Authorization": "Bearer " + json.load(open(self.credential))["token"]}

    def cli(self, *arguments, check=True):
        return run(os.path.join(BIN, "attestation"), "--credential", self.credential, "--api-url", self.url,
                   "--ca", self.chain, "-o", "json", *arguments, check=check)

    def machines(self):
        return json.loads(self.cli("machine", "list").stdout)

    def machine(self, machine_id):
        return json.loads(self.cli("machine", "get", machine_id).stdout)

    def approve(self, machine_id, role="worker-app", hostname="node-1", address="10.0.0.5/24"):
        if not os.path.exists(self.credential):
            self.break_glass()
        return self.cli("machine", "approve", machine_id, "--role", role, "--hostname", hostname, "--assigned-ip", address,
                        "--yes")

    def audit_rows(self):
        """Rows of the audit log as the running appliance counts them, the chain being valid."""
        said = self.attestd("audit", "verify").stdout
        return int(re.match(r"audit chain valid: (\d+) rows", said).group(1))

    def audit(self):
        """The rows themselves, read from the live database with the key that the token opens."""
        said = run(os.path.join(TOOLS, "audit_reader"), SOFTHSM, self.config["hsm"]["ca"].get("token_label", "itl-ca"),
                   os.path.join(self.state, "pins", "ca.pin"), os.path.join(self.state, "db", "database.key.sealed"),
                   os.path.join(self.state, "db", "attestation.db"),
                   env=clean_environment({"SOFTHSM2_CONF": os.path.join(self.state, "token-ca", "softhsm2.conf")})).stdout
        return [json.loads(line) for line in said.splitlines()]


class Node:
    """A machine: a TPM and the node agent."""

    def __init__(self, appliance, tpm=None):
        self.appliance = appliance
        self.tpm = tpm or Tpm()
        self.state = os.path.join(self.tpm.folder, "agent")
        os.makedirs(self.state, exist_ok=True)

    def agent(self, *options, check=False, timeout=60):
        return run(os.path.join(BIN, "itl-tpm-register"), "--url", self.appliance.url, "--ca", self.appliance.chain,
                   "--tcti", self.tpm.tcti, "--state", self.state, "--event-log", "/dev/null",
                   "--hw-uuid", "00000000-0000-0000-0000-00000000cafe", "--hw-mac", "52:54:00:12:34:56",
                   "--hw-serial", "S-1", "--hw-product", "swtpm", "--once", *options, check=check, timeout=timeout)

    def machine_id(self):
        fingerprint = self.identity()["ek_fingerprint"]
        return next(m["machine_id"] for m in self.appliance.machines() if m["ek_fingerprint"] == fingerprint)

    EK_CERTIFICATES = {"rsa2048": "0x01C00002", "p384": "0x01C00016"}

    def identity(self, ek="rsa2048"):
        """EK material as any client may read it: contract field names."""
        certificate = self.tpm.path(f"ek-{ek}.crt")
        if not os.path.exists(certificate):
            self.tpm.tool("tpm2_nvread", "-C", "o", self.EK_CERTIFICATES[ek], "-o", certificate)
        der = self.tpm.read(certificate)
        der = der[:int.from_bytes(der[2:4], "big") + 4]
        public = run("openssl", "x509", "-inform", "DER", "-in", certificate, "-noout", "-pubkey").stdout
        spki = base64.b64decode("".join(public.splitlines()[1:-1]))
        return {"ek_cert_pem": base64.b64encode(der).decode(), "ek_source": "cert",
                "ek_fingerprint": hashlib.sha384(spki).hexdigest()}

    def register(self, ek="rsa2048"):
        return self.appliance.post("/api/v1/self-register", self.identity(ek))

    def admit(self, ek="rsa2048", **approval):
        """Registered and approved by that EK."""
        answer = self.register(ek)
        assert answer.status == 200, answer
        self.appliance.approve(answer.json["machine_id"], **approval)
        return answer.json["machine_id"]

    def remove(self):
        self.tpm.remove()
