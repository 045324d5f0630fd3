"""From an unknown machine to an opened configuration, through every process and the token."""

import json
import os

import pytest

from appliance import CLUSTER_SECRET


@pytest.mark.parametrize("ek, ak", [("rsa2048", "p384"), ("p384", "p384"), ("p384", "p256"), ("rsa2048", "rsa2048")])
def test_machine_goes_from_unknown_to_attested_and_opens_its_configuration(appliance, node, ek, ak):
    keys = ("--ek", ek, "--ak", ak)
    assert node.agent(*keys).returncode == 10  # waits for approval
    appliance.break_glass()
    machine, = appliance.machines()
    assert machine["status"] == "pending_approval"
    assert machine["ek_anchor"].endswith("swtpm-localca-rootca")
    appliance.approve(machine["machine_id"])

    output = os.path.join(node.tpm.folder, "config.yaml")
    done = node.agent(*keys, "--output", output)
    assert done.returncode == 0, done.stderr
    config = open(output).read()
    assert CLUSTER_SECRET.decode() in config and machine["machine_id"] in config
    assert 'hostname: "node-1"' in config and "10.0.0.5/24" in config

    machine = appliance.machine(machine["machine_id"])
    assert machine["status"] == "attested" and machine["assurance"].startswith("tpm-certificate/")
    actions = [row["action"] for row in appliance.audit()]
    for action in ("self_register", "breakglass_open", "approve", "attest", "config_delivered"):
        assert action in actions
    assert appliance.audit_rows() == len(appliance.audit())


def test_attesting_again_gives_a_new_token_and_keeps_the_state(appliance, node):
    node.agent()
    machine_id = appliance_machine(appliance)
    appliance.approve(machine_id)
    assert node.agent().returncode == 0
    assert node.agent().returncode == 0
    rows = [r for r in appliance.audit() if r["action"] == "attest"]
    assert [(r["prev_state"], r["new_state"]) for r in rows] == [("registered", "attested"), ("attested", "attested")]
    evidence = json.loads(appliance.cli("machine", "evidence", machine_id).stdout)
    assert [e["verdict"] for e in evidence] == ["pass", "pass"]
    assert evidence[0]["clock"] >= evidence[1]["clock"] and evidence[0]["event_log_sha384"] is None
    machine = appliance.machine(machine_id)
    assert machine["evidence_at"] == evidence[0]["time"] and machine["gates"]["config"] and not machine["stale"]


def test_sealed_answer_holds_nothing_readable_and_the_plain_form_is_refused(appliance, node):
    node.agent("--ek", "rsa2048")
    appliance.approve(appliance_machine(appliance))
    token = config_token(node)
    plain = appliance.get("/api/v1/config/" + token, headers={"Accept": "application/yaml"})
    assert (plain.status, plain.reason) == (406, "sealed_delivery_required")
    sealed = appliance.get("/api/v1/config/" + token)
    assert sealed.status == 200 and sealed.headers["Content-Type"] == "application/vnd.itl.config.sealed+json"
    assert CLUSTER_SECRET not in sealed.body
    assert set(sealed.json) >= {"format", "machine_id", "credential_blob", "encrypted_secret", "iv", "ciphertext", "tag", "aad"}


def test_pending_configuration_holds_no_secret_and_is_the_same_for_everybody(appliance, node):
    node.agent()
    known = appliance.get("/api/v1/config?mac=52:54:00:12:34:56")
    unknown = appliance.get("/api/v1/config?mac=52:54:00:00:00:99")
    assert known.status == unknown.status == 200 and known.body == unknown.body
    assert CLUSTER_SECRET not in known.body


def test_approval_of_other_content_closes_the_gate_until_it_attests_again(appliance, node):
    node.agent("--ek", "rsa2048")
    machine_id = appliance_machine(appliance)
    appliance.approve(machine_id)
    token = config_token(node)
    appliance.approve(machine_id, hostname="node-2")
    assert appliance.machine(machine_id)["status"] == "registered"
    assert appliance.get("/api/v1/config/" + token).status == 404
    assert node.agent("--ek", "rsa2048").returncode == 0


def test_control_plane_can_not_be_approved_by_break_glass(appliance, node):
    node.agent()
    machine_id = appliance_machine(appliance)
    refused = appliance.cli("machine", "approve", machine_id, "--role", "controlplane", "--yes", check=False)
    assert refused.returncode == 1 and "break_glass_never_votes" in refused.stderr
    assert appliance.machine(machine_id)["status"] == "pending_approval"


def test_node_agent_says_what_it_does_as_json(appliance, node):
    lines = node.agent("--json").stderr.splitlines()
    assert lines and all(json.loads(line) for line in lines)


def appliance_machine(appliance):
    appliance.break_glass()
    machine, = appliance.machines()
    return machine["machine_id"]


def config_token(node):
    """Attests with the agent's own material and takes the token instead of the agent."""
    from hostile import Evidence
    answer = Evidence(node).attest()
    assert answer.status == 200 and answer.json["status"] == "attested", answer
    return answer.json["config_token"]
