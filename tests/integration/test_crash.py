"""kill -9 of every process at random moments under load, 200 times: whatever was answered 2xx is there afterwards, the chain holds, the
database opens. The supervisor's death is the whole appliance's; it is started again by the test as systemd would.

SoftHSM rewrites its token.object in place at each login, so a kill in that moment leaves half a file and no token. That is SoftHSM's,
which is for development; the test then puts the file back, as one restores a token from its backup."""

import glob
import http.client
import json
import os
import random
import ssl
import subprocess
import threading
import time

import pytest

from appliance import CHILDREN, Appliance, wait_until

KILLS = 200
SEED = int(os.environ.get("ITL_CRASH_SEED", "20261122"))


class Load:
    """Threads that take nonces and use them up as fast as they are answered, and remember every answer."""

    def __init__(self, appliance, node):
        self.appliance = appliance
        self.identity = node.identity()
        self.stop = threading.Event()
        self.lock = threading.Lock()
        self.used = []    # nonces of requests that were answered: refused for the quote, and so used up
        self.unused = []  # (nonce, when): given out and kept
        self.threads = [threading.Thread(target=self.run, daemon=True) for _ in range(4)]
        for thread in self.threads:
            thread.start()

    def run(self):
        while not self.stop.is_set():
            try:
                self.one()
            except (OSError, ssl.SSLError, http.client.HTTPException):
                time.sleep(0.02)

    def one(self):
        fresh = self.appliance.get("/api/v1/attest/challenge", timeout=8)
        if fresh.status != 200:
            time.sleep(0.02)
            return
        nonce = fresh.json["nonce_id"]
        if random.random() < 0.2:
            with self.lock:
                self.unused.append((nonce, time.monotonic()))
            return
        if use(self.appliance, self.identity, nonce).reason == "quote_unreadable":
            with self.lock:
                self.used.append(nonce)

    def finish(self):
        self.stop.set()
        for thread in self.threads:
            thread.join(20)


def use(appliance, identity, nonce):
    """An attestation by the known AK whose quote is rubbish: the nonce is used up and the refusal audited."""
    body = dict(identity, nonce_id=nonce, pcr_quote="AAAA", pcr_signature="AAAA")
    return appliance.post("/api/v1/attest", json.dumps(body), timeout=8)


@pytest.fixture
def appliance():
    """One whose machine may have any number of sessions, because each kill leaves some behind."""
    with Appliance({"limits": {"sessions_max": 1000000}}) as running:
        yield running


def test_two_hundred_kills_lose_nothing_that_was_acknowledged(appliance, node):
    random.seed(SEED)
    appliance.break_glass(minutes=120)
    machine_id = node.admit()
    assert attest(node)
    load = Load(appliance, node)
    killed, attested = kill_all(appliance, node)
    load.finish()
    mend_tokens(appliance)
    appliance.wait_ready(60)
    check(appliance, node, machine_id, load, killed, attested)


def attest(node):
    """The node agent's whole way; True when it was answered 2xx and opened its configuration."""
    return node.agent("--ek", "rsa2048").returncode == 0


def mend_tokens(appliance):
    for name in ("token-ca", "token-tls"):
        for whole in glob.glob(os.path.join(Appliance.provisioned, "state", name, "objects", "*", "token.object")):
            torn = os.path.join(appliance.state, os.path.relpath(whole, os.path.join(Appliance.provisioned, "state")))
            if os.path.getsize(torn) != os.path.getsize(whole):
                subprocess.run(["cp", "-p", whole, torn], check=True)


def start(appliance):
    mend_tokens(appliance)
    appliance.start(seconds=60)


def running(appliance, name):
    """The process, for as long as it takes to be there."""
    assert appliance.process.poll() is None, f"the supervisor ended with {appliance.process.returncode}:\n{appliance.log()[-4000:]}"
    mend_tokens(appliance)
    return appliance.children().get(name)


def kill_all(appliance, node):
    """Every fifth time the supervisor itself, which also starts the children's back-off anew."""
    killed = dict.fromkeys((*CHILDREN, "supervisor"), 0)
    attested = 1
    for number in range(KILLS):
        time.sleep(random.uniform(0, 0.1))
        if number % 5 == 4:
            killed["supervisor"] += 1
            appliance.kill()
            start(appliance)
            attested += attest(node)
            continue
        name = random.choice(CHILDREN)
        killed[name] += 1
        wait_until(lambda: kill(appliance, name), 30, f"{name} to run again")
    return killed, attested


def kill(appliance, name):
    """False when it is not there, or ended by itself just now: it goes with a peer that was killed."""
    pid = running(appliance, name)
    try:
        if pid:
            os.kill(pid, 9)
    except ProcessLookupError:
        return False
    return bool(pid)


def check(appliance, node, machine_id, load, killed, attested):
    assert sum(killed.values()) == KILLS and min(killed.values()) > 10
    assert len(load.used) > KILLS and attested > 10, "the load hardly got through: the test would show little"
    rows = appliance.audit()  # the chain of what was read, and then of all there is
    assert appliance.audit_rows() >= len(rows)

    # Were a commit lost after its answer, a used nonce could be used again, and a given one would be unknown.
    for nonce in random.sample(load.used, 50):
        assert use(appliance, load.identity, nonce).reason in ("nonce_used", "nonce_expired", "nonce_unknown")
    for nonce, when in load.unused[-20:]:
        if time.monotonic() - when < 40:  # a nonce lives for 60 s
            assert use(appliance, load.identity, nonce).reason == "quote_unreadable"

    assert len([r for r in rows if r["action"] == "attest"]) >= attested
    assert len([r for r in rows if r["action"] == "config_delivered"]) >= attested
    assert [r["new_state"] for r in rows if r["action"] == "approve"] == ["registered"]
    assert appliance.machine(machine_id)["status"] == "attested"
    assert attest(node)
