"""Policies as an operator works with them: pushed, listed, activated while the appliance runs, rolled back; each act signed and audited."""

import json
import os

import pytest

from appliance import BIN, Appliance, Node, run

RULES = """\
name: {name}
version: {version}
mode: enforce
quote:
  required: true
  pcr_selection: {{sha256: [0, 2, 4, 7]}}
"""
WRONG_PCR = RULES + "  pcr_values: {{sha256: {{7: [" + "ab" * 32 + "]}}}}\n"
EXIT_REFUSED, EXIT_USAGE = 1, 2


def policy_file(tmp_path, text, name="pinned", version=1):
    path = tmp_path / f"{name}-{version}.yaml"
    path.write_text(text.format(name=name, version=version))
    return str(path)


@pytest.fixture
def operated(appliance):
    appliance.break_glass()
    return appliance


def push(appliance, path, comment="for a test"):
    return json.loads(appliance.cli("policy", "push", path, "--comment", comment).stdout)


def test_policy_is_kept_and_changes_nothing_until_it_is_activated(operated, node, tmp_path):
    node.admit()
    assert node.agent("--ek", "rsa2048").returncode == 0
    pushed = push(operated, policy_file(tmp_path, WRONG_PCR))
    assert (pushed["number"], pushed["name"], pushed["version"], pushed["active"]) == (1, "pinned", 1, False)
    assert pushed["author"] == "SYSTEM" and pushed["comment"] == "for a test"
    assert node.agent("--ek", "rsa2048").returncode == 0
    assert push(operated, policy_file(tmp_path, WRONG_PCR))["number"] == 1  # the same text again
    assert [row["action"] for row in operated.audit()].count("policy_push") == 1


def test_activated_policy_judges_the_next_attestation_and_rollback_undoes_it(operated, node, tmp_path):
    machine_id = node.admit()
    assert node.agent("--ek", "rsa2048").returncode == 0
    good = push(operated, policy_file(tmp_path, RULES, "good"))["number"]
    bad = push(operated, policy_file(tmp_path, WRONG_PCR, "pinned"))["number"]
    operated.cli("policy", "activate", str(good), "--yes")
    assert node.agent("--ek", "rsa2048").returncode == 0
    operated.cli("policy", "activate", str(bad), "--comment", "pin PCR 7", "--yes")
    refused = node.agent("--ek", "rsa2048")
    assert refused.returncode != 0 and "pcr.sha256.7" in refused.stdout + refused.stderr
    assert operated.machine(machine_id)["status"] == "attested"
    rolled = json.loads(operated.cli("policy", "rollback", "--yes").stdout)
    assert rolled["number"] == good and rolled["active"]
    assert node.agent("--ek", "rsa2048").returncode == 0
    acts = [(row["prev_state"], row["new_state"], row["reason"]) for row in operated.audit() if row["action"] == "policy_activate"]
    assert acts == [("0", str(good), None), (str(good), str(bad), "pin PCR 7"), (str(bad), str(good), None)]


def test_policy_in_force_survives_a_restart_and_shows_in_the_list(operated, node, tmp_path):
    node.admit()
    text = open(policy_file(tmp_path, WRONG_PCR)).read()
    push(operated, policy_file(tmp_path, WRONG_PCR))
    push(operated, policy_file(tmp_path, RULES, "other"))
    operated.cli("policy", "activate", "1", "--yes")
    operated.stop()
    operated.start()
    listed = json.loads(operated.cli("policy", "list").stdout)
    assert [(p["number"], p["active"]) for p in listed] == [(2, False), (1, True)]
    assert json.loads(operated.cli("policy", "show", "active").stdout)["policy"] == text
    assert node.agent("--ek", "rsa2048").returncode != 0
    assert operated.events("policy.in_force")[-1]["number"] == 1


def test_what_is_no_policy_is_refused_with_its_place_and_audited(operated, tmp_path):
    path = tmp_path / "bad.yaml"
    path.write_text("name: x\nversion: 1\nquote:\n  requierd: true\n")
    offline = run(os.path.join(BIN, "attestation"), "policy", "validate", str(path), check=False)
    assert offline.returncode == EXIT_USAGE and f"{path}:4:3" in offline.stderr
    assert operated.cli("policy", "push", str(path), check=False).returncode == EXIT_REFUSED
    body = json.dumps({"policy": path.read_text()})
    headers = signed_headers(operated, "/api/v1/policies", body)
    answer = operated.post("/api/v1/policies", body, headers=headers)
    assert answer.status == 422 and answer.reason == "policy_invalid"
    assert answer.json["detail"][0]["loc"][-2:] == [4, 3]
    assert any(row["reason"] == "policy_invalid" for row in operated.audit())
    assert json.loads(operated.cli("policy", "list").stdout) == []


def signed_headers(appliance, target, body):
    tool = os.path.join(os.path.dirname(BIN), "tests", "sign_request")
    digest, signature_input, signature = run(tool, appliance.credential, "POST", target, body).stdout.splitlines()
    return dict(appliance.operator_headers, **{"Content-Digest": digest, "Signature-Input": signature_input, "Signature": signature})


def test_policy_weaker_than_high_assurance_allows_is_refused(operated, tmp_path):
    path = tmp_path / "weak.yaml"
    path.write_text("name: weak\nversion: 1\nmode: telemetry\n")
    offline = run(os.path.join(BIN, "attestation"), "policy", "validate", str(path), check=False)
    assert offline.returncode == EXIT_REFUSED and "high-assurance" in offline.stderr
    refused = operated.cli("policy", "push", str(path), check=False)
    assert refused.returncode == EXIT_REFUSED and "policy_invalid" in refused.stderr


def test_unknown_versions_and_repeated_activation_are_refused(operated, tmp_path):
    for words in (("show", "7"), ("show", "active"), ("activate", "7", "--yes"), ("rollback", "--yes")):
        refused = operated.cli("policy", *words, check=False)
        assert refused.returncode == EXIT_REFUSED and "policy_version_unknown" in refused.stderr, words
    push(operated, policy_file(tmp_path, RULES))
    operated.cli("policy", "activate", "1", "--yes")
    again = operated.cli("policy", "activate", "1", "--yes", check=False)
    assert again.returncode == EXIT_REFUSED and "conflict" in again.stderr
    assert operated.cli("policy", "activate", "1", check=False).returncode == EXIT_REFUSED  # nobody confirmed


def test_policy_under_dual_control_is_not_activated_by_break_glass(tmp_path):
    with Appliance({"dual_control": {"policy": True}}) as appliance:
        appliance.break_glass()
        push(appliance, policy_file(tmp_path, RULES))
        refused = appliance.cli("policy", "activate", "1", "--yes", check=False)
        assert refused.returncode == EXIT_REFUSED and "break_glass_never_votes" in refused.stderr
