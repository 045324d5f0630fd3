"""The node agent that stays: certificates renewed by their own end, in sets that belong together, as long as the machine may have them."""

import json
import os
import signal
import subprocess
import time

import pytest

from appliance import BIN, Appliance, Node, clean_environment, run, wait_until

TRUST_DOMAIN = "prod.example.org"
REVOKED = 12


@pytest.fixture(scope="module")
def short():
    """SVIDs of five minutes, the least there are; to attest again is asked for every six hours."""
    with Appliance({"pki": {"trust_domain": TRUST_DOMAIN, "svid_minutes": 5}}) as running:
        running.break_glass()
        processes = running.children()
        yield running
        assert running.children() == processes


class Agent:
    """itl-tpm-register --stay on an approved machine, and what it holds."""

    def __init__(self, appliance, node):
        self.appliance = appliance
        self.node = node
        self.prefix = node.tpm.path("enrollment")
        self.log_path = node.tpm.path("agent.log")
        self.process = None

    def start(self, *options):
        command = [os.path.join(BIN, "itl-tpm-register"), "--url", self.appliance.url, "--ca", self.appliance.chain, "--tcti", self.node.tpm.tcti,
                   "--state", self.node.state, "--event-log", "/dev/null", "--hw-uuid", "00000000-0000-0000-0000-00000000cafe",
                   "--stay", "--poll", "1", "--enroll-cert", self.prefix, *options]
        with open(self.log_path, "a") as log:
            self.process = subprocess.Popen(command, stderr=log, env=clean_environment(), stdin=subprocess.DEVNULL)
        self.wait_for("next: ")
        return self

    def log(self):
        with open(self.log_path) as file:
            return file.read()

    def wait_for(self, text, seconds=30, after=0):
        return wait_until(lambda: text in self.log()[after:], seconds, f"the agent to say {text}")

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=10)

    def serial(self, name):
        return run("openssl", "x509", "-in", self.prefix + name, "-noout", "-serial").stdout.strip()

    def current(self):
        return os.readlink(self.prefix + ".d/current")

    def forget(self):
        """What an administrator does who wants new certificates now."""
        os.unlink(self.prefix + ".d/current")

    def attestations(self):
        return sum(row["action"] == "attest" for row in self.appliance.audit())

    def issued(self):
        return sum(row["action"] == "certificate_issue" for row in self.appliance.audit())

    def check_set(self):
        """Every key is its certificate's, in one folder opened once."""
        folder = os.open(self.prefix + ".d/current", os.O_RDONLY | os.O_DIRECTORY)
        try:
            for name in ("enrollment", "svid"):
                base = f"/proc/{os.getpid()}/fd/{folder}/{name}"
                certified = run("openssl", "x509", "-in", base + ".crt", "-noout", "-pubkey").stdout
                assert run("openssl", "pkey", "-in", base + ".key", "-pubout").stdout == certified
                assert run("openssl", "verify", "-CAfile", f"/proc/{os.getpid()}/fd/{folder}/ca.crt", base + ".crt").stdout.endswith("OK\n")
        finally:
            os.close(folder)


@pytest.fixture
def agent(short):
    node = Node(short)
    machine_id = node.admit("p384")
    made = Agent(short, node)
    made.machine_id = machine_id
    yield made
    if made.process and made.process.poll() is None:
        made.process.kill()
        made.process.wait()
    run("chmod", "-R", "u+rwx", node.tpm.folder)
    node.remove()


def test_svid_is_replaced_before_its_end_without_another_attestation(agent):
    agent.start()
    agent.check_set()
    svid, enrollment, attestations = agent.serial("-svid.crt"), agent.serial(".crt"), agent.attestations()
    end = time.monotonic() + 290  # before the first one has ended
    wait_until(lambda: agent.serial("-svid.crt") != svid, end - time.monotonic(), "a new SVID")
    agent.check_set()
    assert run("openssl", "x509", "-in", agent.prefix + "-svid.crt", "-noout", "-checkend", "240").returncode == 0
    assert agent.serial(".crt") == enrollment and agent.attestations() == attestations
    assert sorted(n for n in os.listdir(agent.prefix + ".d") if n.startswith("set-")) == ["set-1", "set-2"]


def test_set_that_was_removed_comes_back_and_a_signal_ends_the_agent_at_once(agent):
    agent.start()
    attestations = agent.attestations()
    agent.forget()
    wait_until(lambda: os.path.lexists(agent.prefix + ".d/current"), 20, "a new set")
    agent.check_set()
    assert agent.attestations() == attestations
    before = time.monotonic()
    assert agent.stop() == 0
    assert time.monotonic() - before < 1


def test_signal_ends_the_agent_while_the_appliance_does_not_answer(agent):
    agent.start()
    front = agent.appliance.children()["front"]
    os.kill(front, signal.SIGSTOP)
    try:
        agent.forget()
        time.sleep(1.5)  # so that it asks for a new set
        before = time.monotonic()
        assert agent.stop() == 0
        assert time.monotonic() - before < 3
    finally:
        os.kill(front, signal.SIGCONT)
    assert "ended_by_signal" in agent.log()


def test_agent_that_starts_again_keeps_what_still_holds_but_not_for_another_role(agent):
    agent.start()
    held = agent.serial(".crt"), agent.serial("-svid.crt")
    agent.stop()
    os.mkdir(agent.prefix + ".d/set-77")  # as after a crash
    said = len(agent.log())
    agent.start()
    agent.wait_for("next: ", after=said)
    assert (agent.serial(".crt"), agent.serial("-svid.crt")) == held
    assert not os.path.exists(agent.prefix + ".d/set-77")
    agent.stop()
    agent.appliance.approve(agent.machine_id, role="worker-infra")
    said = len(agent.log())
    agent.start()
    agent.wait_for("next: ", after=said)
    assert "OU = worker-infra" in run("openssl", "x509", "-in", agent.prefix + ".crt", "-noout", "-subject").stdout
    agent.check_set()


def test_locked_machine_gets_none_until_it_is_unlocked(agent):
    agent.start()
    agent.appliance.cli("machine", "lock", agent.machine_id)
    issued = agent.issued()
    agent.forget()
    agent.wait_for("locked by an operator")
    time.sleep(3)
    assert agent.issued() == issued and not os.path.lexists(agent.prefix + ".d/current") and agent.process.poll() is None
    agent.appliance.cli("machine", "unlock", agent.machine_id, "--yes")
    wait_until(lambda: os.path.lexists(agent.prefix + ".d/current"), 20, "a new set")
    agent.check_set()


def test_revoked_machines_agent_stops_renewing(agent):
    agent.start()
    agent.appliance.cli("machine", "revoke", agent.machine_id, "--yes")
    issued = agent.issued()
    agent.forget()
    assert agent.process.wait(timeout=20) == REVOKED
    assert "machine_revoked" in agent.log() and "attesting first" in agent.log()
    assert agent.issued() == issued and not os.path.lexists(agent.prefix + ".d/current")


def test_wipe_that_ends_the_agent_is_reported_all_the_same(agent):
    """As a command does that shuts the machine down."""
    command = agent.node.tpm.path("wipe")
    with open(command, "w") as out:
        out.write("#!/bin/sh\nkill -TERM $PPID\n")
    os.chmod(command, 0o700)
    agent.start("--wipe", command)
    agent.appliance.cli("machine", "revoke", agent.machine_id, "--wipe", "--yes")
    agent.forget()
    assert agent.process.wait(timeout=20) == REVOKED
    assert not agent.appliance.machine(agent.machine_id)["wipe_pending"], agent.log()


def test_machine_without_evidence_that_is_good_enough_attests_first(agent, tmp_path):
    """Another policy wants other PCRs quoted, which only a challenge tells."""
    agent.start()
    attestations = agent.attestations()
    policy = tmp_path / "policy.yaml"
    policy.write_text("name: more\nversion: 1\nmode: enforce\nquote: {required: true, pcr_selection: {sha256: [0, 1, 2, 4, 7]}}\n")
    pushed = agent.appliance.cli("policy", "push", str(policy), "--comment", "more").stdout
    number = json.loads(pushed)["number"]
    agent.appliance.cli("policy", "activate", str(number), "--yes")
    agent.forget()
    wait_until(lambda: os.path.lexists(agent.prefix + ".d/current"), 20, "a new set")
    assert "quote_selection_mismatch" in agent.log() and agent.attestations() == attestations + 1
    agent.check_set()
