"""Evidence that grows old: what it opened closes, and the node agent is back before."""

import json
import os
import signal
import subprocess

import pytest

from appliance import BIN, clean_environment, wait_until
from hostile import Evidence

POLICY = """name: short-lived
version: 1
mode: enforce
quote:
  required: true
  pcr_selection: {sha256: [0, 2, 4, 7]}
evidence: {max_age: 1m, reattest_every: 10s}
"""


@pytest.fixture
def short_lived(appliance, tmp_path):
    appliance.break_glass()
    path = tmp_path / "policy.yaml"
    path.write_text(POLICY)
    number = json.loads(appliance.cli("policy", "push", str(path), "--comment", "short").stdout)["number"]
    appliance.cli("policy", "activate", str(number), "--yes")
    return appliance


def test_stale_evidence_closes_what_it_opened_until_the_machine_attests_again(short_lived, node):
    machine_id = node.admit()
    evidence = Evidence(node)
    answer = evidence.attest()
    assert answer.status == 200 and answer.json["reattest_after"] == 10
    token = answer.json["config_token"]
    assert not short_lived.machine(machine_id)["stale"] and short_lived.machine(machine_id)["gates"]["config"]

    wait_until(lambda: short_lived.machine(machine_id)["stale"], 75, "the evidence to grow old")
    machine = short_lived.machine(machine_id)
    assert machine["status"] == "attested" and not any(machine["gates"].values()), machine
    refused = short_lived.get("/api/v1/config/" + token)
    assert (refused.status, refused.reason) == (403, "evidence_stale")
    said = json.loads(short_lived.cli("machine", "explain", machine_id).stdout)
    assert said["stale"] is True and "attest again" in json.dumps(said), said

    answer = evidence.attest()
    assert answer.status == 200
    assert short_lived.get("/api/v1/config/" + answer.json["config_token"]).status == 200
    assert not short_lived.machine(machine_id)["stale"]


def test_agent_that_stays_attests_again_and_applies_only_what_changed(short_lived, node):
    node.agent()
    machine_id = short_lived.machines()[0]["machine_id"]
    short_lived.approve(machine_id)
    output = os.path.join(node.tpm.folder, "config.yaml")
    log = open(node.tpm.path("agent.log"), "w+")
    command = [os.path.join(BIN, "itl-tpm-register"), "--url", short_lived.url, "--ca", short_lived.chain, "--tcti", node.tpm.tcti,
               "--state", node.state, "--event-log", "/dev/null", "--hw-uuid", "00000000-0000-0000-0000-00000000cafe",
               "--stay", "--output", output]
    agent = subprocess.Popen(command, stderr=log, env=clean_environment(), stdin=subprocess.DEVNULL)
    try:
        def attestations():
            return [e["time"] for e in json.loads(short_lived.cli("machine", "evidence", machine_id).stdout)]

        wait_until(lambda: os.path.exists(output), 20, "the configuration")
        os.unlink(output)
        wait_until(lambda: len(attestations()) >= 2, 20, "it to attest again")
        assert not os.path.exists(output)
        short_lived.approve(machine_id, hostname="renamed")
        wait_until(lambda: os.path.exists(output) and 'hostname: "renamed"' in open(output).read(), 30, "the new configuration")
        assert agent.poll() is None
        agent.send_signal(signal.SIGTERM)
        agent.wait(timeout=10)
    finally:
        agent.kill()
        agent.wait()
        log.close()
