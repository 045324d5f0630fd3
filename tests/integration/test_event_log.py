"""Event logs of real machines through the whole appliance: a software TPM measures what the log says, the node proves it, policy judges it."""

import hashlib
import json
import os
import resource
import signal
import subprocess

import pytest
import yaml_text

from appliance import BIN, Appliance, Node, run

LOG = os.path.join(os.environ["ITL_SHARED_DATA"], "real", "keylime", "eventlogs", "binary_bios_measurements-secureboot")
LINUX = os.path.join(os.environ["ITL_SOURCE_DIR"], "policy", "defaults", "secure-boot-linux.yaml")
EV_NO_ACTION = 3


def read_log(path):
    return json.loads(run(os.path.join(BIN, "attestation"), "evidence", "eventlog", path, "--json", check=False).stdout)


def measure(node, path, skip=(), extra=()):
    """Extends the software TPM with what the log says, as the firmware did on the real machine."""
    extends = [f"{event['pcr']}:sha256={event['digests']['sha256']}" for event in read_log(path)["events"][1:]
               if event["type"] != EV_NO_ACTION and event["index"] not in skip]
    for start in range(0, len(extends), 8):
        node.tpm.tool("tpm2_pcrextend", *extends[start:start + 8])
    for extend in extra:
        node.tpm.tool("tpm2_pcrextend", extend)


def attest(node, log, *options):
    return node.agent("--ek", "rsa2048", "--event-log", log, *options)


def activate(appliance, tmp_path, text, name="policy.yaml"):
    path = tmp_path / name
    path.write_text(text)
    number = json.loads(appliance.cli("policy", "push", str(path)).stdout)["number"]
    appliance.cli("policy", "activate", str(number), "--yes")
    return number


def explain(appliance, machine_id):
    return json.loads(appliance.cli("machine", "explain", machine_id).stdout)


def last_evidence(appliance, machine_id):
    return json.loads(appliance.cli("machine", "evidence", machine_id).stdout)[0]


@pytest.fixture
def linux(appliance, node, tmp_path):
    """A machine that booted by Secure Boot, judged by the shipped policy for that."""
    appliance.break_glass()
    appliance.machine_id = node.admit()
    measure(node, LOG)
    activate(appliance, tmp_path, open(LINUX).read())
    return appliance


def test_log_that_replays_proves_secure_boot(linux, node):
    done = attest(node, LOG)
    assert done.returncode == 0, done.stdout + done.stderr
    evidence = last_evidence(linux, linux.machine_id)
    assert (evidence["verdict"], evidence["chain"], evidence["replay"]) == ("pass", "pass", "pass")
    assert evidence["event_log_sha384"]
    told = explain(linux, linux.machine_id)
    assert told["failures"] == [] and told["differences"] == [] and told["advice"] == ["Nothing to do."]
    assert set(told["event_log"]["replays"]) >= {0, 2, 4, 7, 14} and told["event_log"]["differs"] == []
    machine = linux.machine(linux.machine_id)
    assert machine["evidence_until"] > machine["evidence_at"] and machine["gates"] == {"config": True, "certificates": True, "secrets": True}


def test_known_log_is_not_sent_again_and_still_judged(linux, node):
    assert attest(node, LOG).returncode == 0
    again = attest(node, LOG)
    assert again.returncode == 0 and "which the appliance has already" in again.stdout + again.stderr
    assert last_evidence(linux, linux.machine_id)["replay"] == "pass"


def test_exported_evidence_is_verified_without_the_appliance(linux, node, tmp_path):
    """What the appliance kept is what the TPM signed, and says the same to the offline tools."""
    assert attest(node, LOG).returncode == 0
    folder = tmp_path / "evidence"
    done = linux.cli("machine", "export", linux.machine_id, str(folder), "-o", "table")
    assert sorted(os.listdir(folder)) == ["accepted-eventlog.bin", "ak.bin", "ek.bin", "eventlog.bin", "evidence.json", "pcrs.json",
                                          "quote.bin", "signature.bin"]
    assert (folder / "eventlog.bin").read_bytes() == open(LOG, "rb").read() == (folder / "accepted-eventlog.bin").read_bytes()
    assert os.stat(folder).st_mode & 0o777 == 0o700
    summary = json.loads((folder / "evidence.json").read_text())
    assert (summary["machine_id"], summary["verdict"], summary["ek_source"]) == (linux.machine_id, "pass", "cert")
    commands = done.stdout.splitlines()
    assert [command.split()[2] for command in commands] == ["quote", "ek", "diff"]
    quote = run(os.path.join(BIN, "attestation"), *commands[0].split()[1:], "--json")
    assert json.loads(quote.stdout)["valid"] is True
    identity = json.loads(run(os.path.join(BIN, "attestation"), "evidence", "ek", str(folder / "ek.bin"), "--json", check=False).stdout)
    assert identity["public_hash"] == linux.machine(linux.machine_id)["ek_public_hash"]
    same = run(os.path.join(BIN, "attestation"), *commands[2].split()[1:])
    assert same.returncode == 0
    again = linux.cli("machine", "export", linux.machine_id, str(folder), check=False)
    assert again.returncode != 0 and "That folder is there already" in again.stderr


def test_export_that_fails_leaves_no_half_of_it(linux, node, tmp_path):
    assert attest(node, LOG).returncode == 0
    folder = tmp_path / "evidence"

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # the event log has ten times as much

    done = subprocess.run([os.path.join(BIN, "attestation"), "--credential", linux.credential, "--api-url", linux.url, "--ca", linux.chain,
                           "machine", "export", linux.machine_id, str(folder)], preexec_fn=little_room, capture_output=True, text=True)
    assert done.returncode != 0 and done.stderr and not folder.exists()
    linux.cli("machine", "export", linux.machine_id, str(folder))
    assert (folder / "evidence.json").exists()


def test_evidence_is_exported_to_operators_only_and_none_is_said_to_be_none(linux):
    target = f"/api/v1/machines/{linux.machine_id}/evidence/latest"
    assert linux.get(target).status == 401
    other = Node(linux)
    try:
        machine_id = other.register().json["machine_id"]
        answer = linux.get(f"/api/v1/machines/{machine_id}/evidence/latest", headers=linux.operator_headers)
        assert (answer.status, answer.reason) == (404, "evidence_none")
    finally:
        other.remove()


def test_missing_log_closes_the_gates_and_says_what_to_do(linux, node):
    refused = attest(node, "/dev/null")
    assert refused.returncode != 0
    assert last_evidence(linux, linux.machine_id)["reason"] == "event_log_missing"
    assert linux.machine(linux.machine_id)["status"] == "registered"
    assert "itl-tpm-register --event-log" in explain(linux, linux.machine_id)["advice"][0]


def test_edited_log_is_told_from_a_changed_machine(linux, node, tmp_path):
    edited = bytearray(open(LOG, "rb").read())
    event = next(e for e in read_log(LOG)["events"] if e["pcr"] == 7 and e["type_name"] == "EV_EFI_VARIABLE_DRIVER_CONFIG")
    digest = bytes.fromhex(event["digests"]["sha256"])
    edited[edited.index(digest)] ^= 1
    path = tmp_path / "edited.log"
    path.write_bytes(edited)
    assert attest(node, str(path)).returncode != 0
    evidence = last_evidence(linux, linux.machine_id)
    assert (evidence["verdict"], evidence["replay"], evidence["reason"]) == ("fail", "fail", "event_log_replay_mismatch")
    told = explain(linux, linux.machine_id)
    assert 7 in told["event_log"]["differs"] and told["verdicts"]["replay"] == "fail"
    assert any("Log and TPM disagree" in line for line in told["advice"])
    assert attest(node, LOG).returncode == 0


def test_log_of_another_boot_is_refused(linux, node):
    """A genuine log that says all the right things, but not of this TPM."""
    node.tpm.tool("tpm2_pcrextend", "4:sha256=" + "ee" * 32)
    assert attest(node, LOG).returncode != 0
    assert last_evidence(linux, linux.machine_id)["reason"] == "event_log_replay_mismatch"


def record_of(pcr, kind, text):
    """As systemd writes it into tpm2-measure.log."""
    digests = [{"hashAlg": "sha256", "digest": hashlib.sha256(text.encode()).hexdigest()}]
    content = {"string": text, "bootId": "189c18dd7ba245f38cf49d9ac154b525", "timestamp": 1515761, "eventType": kind}
    return "\x1e" + json.dumps({"pcr": pcr, "digests": digests, "content_type": "systemd", "content": content}) + "\n"


def test_what_userspace_measured_replays_with_its_log(linux, node, tmp_path):
    """A word of the distribution's own in PCR 7, which nobody can guess."""
    path = tmp_path / "tpm2-measure.log"
    path.write_text(record_of(7, "phase", "a-phase-of-our-own"))
    node.tpm.tool("tpm2_pcrextend", "7:sha256=" + hashlib.sha256(b"a-phase-of-our-own").hexdigest())
    assert attest(node, LOG).returncode != 0
    assert last_evidence(linux, linux.machine_id)["reason"] == "event_log_replay_mismatch"
    assert attest(node, LOG, "--userspace-log", str(path)).returncode == 0
    assert last_evidence(linux, linux.machine_id)["replay"] == "pass"

    # One that can't be read stays behind; one that lies is worth no more than another lie.
    path.write_text(path.read_text()[:-10])
    assert attest(node, LOG, "--userspace-log", str(path)).returncode != 0
    path.write_text(record_of(7, "phase", "another-phase"))
    assert attest(node, LOG, "--userspace-log", str(path)).returncode != 0
    assert last_evidence(linux, linux.machine_id)["reason"] == "event_log_replay_mismatch"


def test_separator_of_systemd_replays_without_a_log(linux, node):
    for pcr in (*range(8), 9, 12, 13, 14):
        node.tpm.tool("tpm2_pcrextend", f"{pcr}:sha256=" + hashlib.sha256(b"os-separator").hexdigest())
    assert attest(node, LOG).returncode == 0


@pytest.mark.parametrize("content", [b"not a log at all, but some text that is long enough", b"\xff" * 4096], ids=["text", "padding"])
def test_unreadable_log_is_a_verdict_of_its_own(linux, node, tmp_path, content):
    path = tmp_path / "bad.log"
    path.write_bytes(content)
    assert attest(node, str(path)).returncode != 0
    assert last_evidence(linux, linux.machine_id)["reason"] in ("event_log_unreadable", "event_log_replay_mismatch")
    assert attest(node, LOG).returncode == 0


def test_captured_baseline_accepts_this_boot_and_no_other(linux, node, tmp_path):
    assert attest(node, LOG).returncode == 0
    captured = linux.cli("policy", "capture", "--machine", linux.machine_id, "--name", "golden-1").stdout
    captured = json.loads(captured)["baseline"]
    pinned = yaml_text.with_baselines(open(LINUX).read(), captured.replace("state: pending", "state: active"))
    before = json.loads(linux.cli("policy", "list").stdout)[0]["number"]
    path = tmp_path / "pinned.yaml"
    path.write_text(pinned)
    pushed = json.loads(linux.cli("policy", "push", str(path)).stdout)["number"]
    simulated = json.loads(linux.cli("policy", "simulate", str(pushed)).stdout)
    assert [(row["now"], row["then"], row["baseline"]) for row in simulated] == [("pass", "pass", "golden-1")]
    diff = linux.cli("policy", "diff", str(before), str(path), check=False)
    assert diff.returncode == 1 and "golden-1" in diff.stdout
    linux.cli("policy", "activate", str(pushed), "--yes")
    assert attest(node, LOG).returncode == 0
    assert explain(linux, linux.machine_id)["baseline"] == "golden-1"

    # Another boot loader: the log is honest about it, the baseline does not know it.
    other = tmp_path / "other.log"
    other.write_bytes(with_another_loader(open(LOG, "rb").read()))
    node.tpm.stop()
    node.tpm.start()
    measure(node, str(other))
    assert attest(node, str(other)).returncode != 0
    assert last_evidence(linux, linux.machine_id)["replay"] == "pass"
    told = explain(linux, linux.machine_id)
    assert told["verdicts"] == {"chain": "pass", "replay": "pass", "policy": "fail"}
    assert any("golden-1" in f["expected"] + f["rule"] + (told["baseline"] or "") for f in told["failures"])
    assert any(d["claim"] in ("boot.application", "boot.loader") for d in told["differences"]), told["differences"]
    assert any("policy capture" in line for line in told["advice"])


def with_another_loader(log):
    """The digest of the first boot application of PCR 4 changed, as an update of the boot loader does."""
    path = LOG
    event = next(e for e in read_log(path)["events"] if e["pcr"] == 4 and e["type_name"] == "EV_EFI_BOOT_SERVICES_APPLICATION")
    digest = bytes.fromhex(event["digests"]["sha256"])
    return log.replace(digest, bytes(reversed(digest)), 1)


def test_one_shot_exception_lets_one_machine_through_once(linux, node, tmp_path):
    text = open(LINUX).read().replace('equals: "true"', 'equals: "false"', 1)
    exception = f"""
exceptions:
  - machine: {linux.machine_id}
    rule: secure-boot
    reason: board is being replaced
    expires: 2099-01-01T00:00:00Z
    once: true
"""
    activate(linux, tmp_path, text + exception)
    assert attest(node, LOG).returncode == 0
    assert attest(node, LOG).returncode != 0
    told = explain(linux, linux.machine_id)
    assert [f["rule"] for f in told["failures"]] == ["secure-boot"]
    assert told["failures"][0]["expected"] and told["failures"][0]["actual"]
    assert [row["reason"] for row in linux.audit() if row["action"] == "exception_used"] == ["secure-boot"]


def test_machine_that_proved_nothing_is_explained_and_gives_no_baseline(appliance, node):
    appliance.break_glass()
    machine_id = node.register().json["machine_id"]
    told = explain(appliance, machine_id)
    assert told["verdict"] == "not_evaluated" and told["evidence_at"] is None
    assert "approve" in told["advice"][0] and "itl-tpm-register" in told["advice"][1]
    refused = appliance.cli("policy", "capture", "--machine", machine_id, check=False)
    assert refused.returncode == 1 and "evidence_none" in refused.stderr


def test_failing_policy_of_one_gate_leaves_the_others_open(linux, node, tmp_path):
    text = open(LINUX).read().replace('equals: "true"', 'equals: "false"\n      gate: certificates', 1)
    activate(linux, tmp_path, text)
    assert attest(node, LOG).returncode == 0
    assert linux.machine(linux.machine_id)["gates"] == {"config": True, "certificates": False, "secrets": True}
    assert last_evidence(linux, linux.machine_id)["verdict"] == "telemetry"
