"""What an administrator and the years do to a running appliance: processes die, certificates change, it stops and starts again."""

import http.client
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import time

import pytest

from appliance import BIN, CLUSTER_SECRET, ROOT, Appliance, Node, is_alive, run, wait_until

NOT_RUNNING = 3


@pytest.fixture
def isolated():
    """Each token's module in a process of its own."""
    with Appliance({"hsm": {"isolation": "process"}}) as running:
        yield running


def answers(appliance):
    """Whether readiness is answered with ready, over a new connection."""
    try:
        return appliance.get("/readyz", timeout=5).status == 200
    except (OSError, http.client.HTTPException):
        return False


def attest_once(appliance, node):
    """The whole story of one machine; its id."""
    assert node.agent().returncode == 10
    appliance.break_glass()
    machine = next(m for m in appliance.machines() if m["status"] == "pending_approval")
    appliance.approve(machine["machine_id"])
    output = os.path.join(node.tpm.folder, "opened.yaml")
    done = node.agent("--output", output)
    assert done.returncode == 0, done.stderr
    with open(output, "rb") as file:
        assert CLUSTER_SECRET in file.read()
    return machine["machine_id"]


# -- processes die ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["front", "keyholder", "signer", "courier"])
def test_killed_process_is_replaced_and_audited(appliance, node, name):
    machine_id = attest_once(appliance, node)
    before = appliance.children()
    for _ in range(2):
        killed = appliance.children()[name]
        appliance.signal_child(name)
        wait_until(lambda: appliance.children().get(name, killed) != killed, 10, f"another {name}")
        appliance.wait_ready()
        wait_until(lambda: answers(appliance), 10, "an answer")
    survivors = {"front", "keyholder", "signer", "courier"} - {name}
    after = appliance.children()
    assert {child: after[child] for child in survivors} == {child: before[child] for child in survivors}
    assert appliance.machine(machine_id)["status"] == "attested"
    assert node.agent().returncode == 0
    ended = [row for row in appliance.audit() if row["action"] == "process_ended"]
    assert len(ended) == 2 and all(f"{name} died by signal 9" in row["detail"] for row in ended)
    assert appliance.audit_rows() == len(appliance.audit())


def test_processes_killed_in_the_same_moment_are_all_replaced(appliance):
    """The supervisor learns of all these deaths at once: while it handles the first, the others' channels are gone already."""
    before = appliance.children()
    appliance.process.send_signal(signal.SIGSTOP)
    for pid in before.values():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not any(is_alive(pid) for pid in before.values()), 10, "the processes to die")
    appliance.process.send_signal(signal.SIGCONT)
    wait_until(lambda: appliance.process.poll() is not None or answers(appliance), 20, "an answer")
    assert appliance.process.poll() is None, "the supervisor died with them"
    appliance.wait_ready()
    assert set(appliance.children()) == set(before)
    assert not set(appliance.children().values()) & set(before.values())


def test_process_that_is_stuck_when_its_peer_is_replaced_is_replaced_too(appliance):
    """Nothing waits for ever: a signer that does not let go of a dead courier's channel is killed after ten seconds."""
    stuck = appliance.children()["signer"]
    os.kill(stuck, signal.SIGSTOP)
    appliance.signal_child("courier")
    wait_until(lambda: appliance.children().get("signer", stuck) != stuck, 30, "another signer")
    wait_until(lambda: answers(appliance), 20, "an answer")
    appliance.wait_ready()
    assert [event["child"] for event in appliance.events("reset.timed_out")][:1] == ["signer"]


def test_children_die_with_the_supervisor_and_the_next_start_finds_everything(appliance, node):
    machine_id = attest_once(appliance, node)
    rows = appliance.audit_rows()
    appliance.kill()
    appliance.start()
    assert appliance.machine(machine_id)["status"] == "attested"
    assert appliance.audit_rows() >= rows
    assert node.agent().returncode == 0


def test_process_that_stops_answering_system_calls_outside_its_profile_is_named(appliance):
    """A refused system call kills with SIGSYS; the log says which process and why."""
    appliance.signal_child("courier", signal.SIGSYS)
    wait_until(lambda: any("sandbox profile" in event["detail"] for event in appliance.events("child.ended")), 10, "the line")
    appliance.wait_ready()


# -- isolation --------------------------------------------------------------------------------------------------------


def test_isolated_modules_serve_the_whole_story(isolated, node_of):
    attest_once(isolated, node_of(isolated))
    assert isolated.audit_rows() > 0


@pytest.mark.parametrize("module", ["module-ca", "module-tls"])
def test_killed_module_is_replaced_with_the_process_that_used_it(isolated, node_of, module):
    node = node_of(isolated)
    machine_id = attest_once(isolated, node)
    status = isolated.attestd("status").stdout
    pid = next(int(word[4:]) for line in status.splitlines() if line.startswith(module) for word in line.split() if word.startswith("pid="))
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: f"pid={pid} " not in isolated.attestd("status", check=False).stdout, 10, "another module process")
    isolated.wait_ready()
    wait_until(lambda: answers(isolated), 10, "an answer")
    assert isolated.machine(machine_id)["status"] == "attested"
    assert node.agent().returncode == 0


@pytest.fixture
def node_of():
    made = []

    def make(appliance):
        made.append(Node(appliance))
        return made[-1]

    yield make
    for machine in made:
        machine.remove()


def test_token_store_may_lie_elsewhere_than_its_configuration(node_of):
    """As in the reference configuration: the module's settings in /etc, the token below the state directory."""
    made = Appliance()
    try:
        settings = os.path.join(made.folder, "etc")
        os.mkdir(settings)
        os.chmod(settings, 0o755)
        for name in ("ca", "tls"):
            path = os.path.join(settings, f"softhsm-{name}.conf")
            shutil.copyfile(os.path.join(made.state, f"token-{name}", "softhsm2.conf"), path)
            os.chmod(path, 0o644)
            made.write_config({"hsm": {name: {"environment": {"SOFTHSM2_CONF": path}}}})
        made.start()
        attest_once(made, node_of(made))
    finally:
        made.remove()


# -- certificates -----------------------------------------------------------------------------------------------------


class TestCa:
    """An organisation's own CA, as openssl makes one."""

    __test__ = False

    def __init__(self, folder):
        self.folder = folder
        self.certificate = os.path.join(folder, "ca.pem")
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-sha384",
            "-keyout", os.path.join(folder, "ca.key"), "-out", self.certificate, "-days", "30", "-subj", "/CN=Corporate CA")

    def sign(self, request, days="20"):
        """A chain file for the request."""
        extensions = os.path.join(self.folder, "server.ext")
        with open(extensions, "w") as out:
            out.write("subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\nkeyUsage=digitalSignature\n")
        leaf = os.path.join(self.folder, "leaf.pem")
        run("openssl", "x509", "-req", "-in", request, "-CA", self.certificate, "-CAkey", os.path.join(self.folder, "ca.key"),
            "-CAcreateserial", "-days", days, "-sha384", "-extfile", extensions, "-out", leaf)
        chain = os.path.join(self.folder, "chain.pem")
        with open(chain, "w") as out:
            for part in (leaf, self.certificate):
                with open(part) as file:
                    out.write(file.read())
        return chain


def served_certificate(appliance, trusted):
    context = ssl.create_default_context(cafile=trusted)
    with socket.create_connection(("localhost", appliance.port), timeout=10) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            assert tls.version() == "TLSv1.3" and tls.cipher()[0] == "TLS_AES_256_GCM_SHA384"
            return ssl.DER_cert_to_PEM_cert(tls.getpeercert(binary_form=True))


@pytest.fixture
def corporate(tmp_path):
    return TestCa(str(tmp_path))


def request_file(appliance, folder):
    path = os.path.join(folder, "server.csr")
    with open(path, "w") as out:
        out.write(appliance.attestd("tls", "csr").stdout)
    return path


def test_certificate_signed_elsewhere_is_used_without_a_restart(appliance, corporate):
    first = os.path.join(corporate.folder, "first.pem")
    with open(appliance.chain) as old, open(first, "w") as kept:
        kept.write(old.read())
    pids = appliance.children()
    chain = corporate.sign(request_file(appliance, corporate.folder))

    said = appliance.attestd("tls", "install", chain).stdout
    assert "in use for every new connection" in said
    with open(os.path.join(corporate.folder, "leaf.pem")) as leaf:
        assert served_certificate(appliance, corporate.certificate) == leaf.read()
    with pytest.raises(ssl.SSLError):
        served_certificate(appliance, first)  # the old certificate is no longer what it shows
    assert appliance.children() == pids
    assert "tls_certificate" in " ".join(row["action"] for row in appliance.audit())

    appliance.stop()
    appliance.start()
    with open(os.path.join(corporate.folder, "leaf.pem")) as leaf:
        assert served_certificate(appliance, corporate.certificate) == leaf.read()


def test_clients_that_pinned_the_old_certificate_refuse_the_new_one(appliance, node, corporate):
    digest = run("openssl", "x509", "-in", appliance.chain, "-noout", "-fingerprint", "-sha256").stdout.split("=")[1].strip()
    agent = [os.path.join(BIN, "itl-tpm-register"), "--url", appliance.url, "--pin", digest, "--tcti", node.tpm.tcti, "--once"]
    assert run(*agent, check=False).returncode == 10
    appliance.attestd("tls", "install", corporate.sign(request_file(appliance, corporate.folder)))
    refused = run(*agent, check=False)
    assert refused.returncode not in (0, 10) and "tls_identity_mismatch" in refused.stderr


def test_certificate_for_another_key_is_refused(appliance, corporate):
    request = os.path.join(corporate.folder, "other.csr")
    run("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-nodes", "-keyout",
        os.path.join(corporate.folder, "other.key"), "-subj", "/CN=localhost", "-out", request)
    refused = appliance.attestd("tls", "install", corporate.sign(request), check=False)
    assert refused.returncode == 1 and "tls_certificate_invalid" in refused.stderr
    served_certificate(appliance, appliance.chain)  # nothing changed


def test_certificate_that_has_ended_is_refused(appliance, corporate):
    chain = corporate.sign(request_file(appliance, corporate.folder), days="-1")
    refused = appliance.attestd("tls", "install", chain, check=False)
    assert refused.returncode == 1 and "tls_certificate_invalid" in refused.stderr
    served_certificate(appliance, appliance.chain)


# -- stop and start ---------------------------------------------------------------------------------------------------


def test_second_start_finds_the_machines(appliance, node):
    machine_id = attest_once(appliance, node)
    rows = appliance.audit()
    appliance.stop()
    appliance.start()
    assert appliance.machine(machine_id)["status"] == "attested"
    assert appliance.audit()[:len(rows)] == rows


def test_stop_lets_a_request_under_way_finish(appliance, node):
    body = json.dumps(node.identity()).encode()
    context = appliance.context()
    with socket.create_connection(("localhost", appliance.port), timeout=20) as plain:
        with context.wrap_socket(plain, server_hostname="localhost") as tls:
            tls.sendall(b"POST /api/v1/self-register HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
                        b"Content-Length: %d\r\n\r\n" % len(body) + body[:100])
            time.sleep(0.3)
            appliance.process.terminate()
            time.sleep(0.5)
            tls.sendall(body[100:])
            answer = tls.recv(65536)
    assert answer.startswith(b"HTTP/1.1 200"), answer
    assert appliance.process.wait(timeout=20) == 0
    appliance.process = None
    appliance.start()
    appliance.break_glass()
    assert [m["status"] for m in appliance.machines()] == ["pending_approval"]


def test_stop_takes_no_longer_than_a_second_when_idle(appliance):
    began = time.monotonic()
    appliance.stop()
    assert time.monotonic() - began < 2


def test_appliance_that_does_not_run_is_told(appliance):
    appliance.stop()
    done = appliance.attestd("status", check=False)
    assert done.returncode == NOT_RUNNING and "not running" in done.stderr


def test_console_is_for_the_administrator_only(appliance):
    if ROOT:
        other = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups")
        done = subprocess.run([*other, os.path.join(BIN, "itl-attestd"), "--config", appliance.config_path, "status"],
                              env=appliance.environment, capture_output=True, text=True)
        assert done.returncode == NOT_RUNNING and "may not talk to it" in done.stderr
    mode = os.stat(os.path.join(appliance.runtime, "console.sock")).st_mode & 0o777
    assert mode == 0o600


# -- modes ------------------------------------------------------------------------------------------------------------


def test_high_assurance_mode_is_shown(appliance):
    assert appliance.get("/healthz").json == {"status": "ok", "high_assurance": True}


def test_downgrade_is_shown_for_as_long_as_it_lasts():
    changes = {"high_assurance": False, "machine_config": {"sealed_delivery": False}}
    with Appliance(changes) as appliance:
        health = appliance.get("/healthz").json
        assert health["high_assurance"] is False and health["downgrades"] == ["machine_config.sealed_delivery"]
        assert "high-assurance mode OFF" in appliance.attestd("status").stdout
        assert "downgraded: machine_config.sealed_delivery" in appliance.attestd("status").stdout
        assert appliance.events("high_assurance.off")
        assert "high_assurance_off" in [row["action"] for row in appliance.audit()]


def test_running_processes_are_confined(appliance):
    """What anybody can look up on a running box, from /proc."""
    children = appliance.children()
    assert set(children) == {"front", "keyholder", "signer", "courier"}
    users = set()
    for pid in children.values():
        with open(f"/proc/{pid}/status") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert status["Seccomp"] == "2" and status["NoNewPrivs"] == "1"
        kinds = ("CapInh", "CapPrm", "CapEff", "CapAmb") + (("CapBnd",) if ROOT else ())  # only root may narrow the last
        assert [kind for kind in kinds if int(status[kind], 16)] == []
        assert len(set(status["Uid"].split())) == 1
        users.add(status["Uid"].split()[0])
    assert len(users) == (4 if ROOT else 1) and ("0" in users) is False
