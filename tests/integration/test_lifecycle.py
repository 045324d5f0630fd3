"""What operators do to machines after approving them: every row of the state machine and every refusal, through the real appliance."""

import base64
import json
import os

import pytest

from appliance import TOOLS, Node, run
from hostile import ATTEST, Evidence, refused

STATES = ("pending_approval", "registered", "attested", "locked", "revoked", "rejected")

# Where an act leads from each state; None is a refusal. The contract's table, A.2.
LEADS = {
    "lock": {"registered": "locked", "attested": "locked"},
    "unlock": {"locked": "registered"},
    "revoke": {state: "revoked" for state in STATES if state != "revoked"},
    "reject": {"pending_approval": "rejected", "registered": "rejected"},
    "delete": {"revoked": "gone", "rejected": "gone"},
    "approve": {"pending_approval": "registered", "registered": "registered", "attested": "registered"},
}


@pytest.fixture(scope="module")
def appliance(lasting_appliance):
    return lasting_appliance


@pytest.fixture(scope="module")
def tpm_node(appliance):
    """One TPM for the whole file: between tests its machine is deleted and registers anew."""
    machine = Node(appliance)
    yield machine
    machine.remove()


@pytest.fixture(scope="module")
def keys(tpm_node):
    return Evidence(tpm_node)


@pytest.fixture
def machine(appliance, tpm_node, keys):
    made = Machine(appliance, tpm_node, keys)
    yield made
    made.forget()


class Machine:
    def __init__(self, appliance, node, keys):
        self.appliance, self.node, self.keys = appliance, node, keys
        self.id = node.register().json["machine_id"]
        self.rows = len(appliance.audit())

    def act(self, verb, *options, check=True):
        return self.appliance.cli("machine", verb, self.id, *options, *([] if verb == "lock" else ["--yes"]), check=check)

    def approve(self, hostname="node-1", check=True):
        return self.appliance.cli("machine", "approve", self.id, "--role", "worker-app", "--hostname", hostname, "--yes",
                                  check=check)

    def attest(self):
        answer = self.keys.attest()
        assert answer.status == 200, answer
        return answer.json

    def bring_to(self, state):
        if state in ("registered", "attested", "locked", "revoked"):
            self.approve()
        if state == "attested":
            self.attest()
        for wanted, verb in (("locked", "lock"), ("revoked", "revoke"), ("rejected", "reject")):
            if state == wanted:
                self.act(verb)
        assert self.status() == state

    def status(self):
        return self.appliance.machine(self.id)["status"]

    def last_row(self):
        return self.appliance.audit()[-1]

    def forget(self):
        shown = self.appliance.get("/api/v1/machines/" + self.id, headers=self.appliance.operator_headers)
        if shown.status == 404:
            return
        if shown.json["status"] not in ("revoked", "rejected"):
            self.act("revoke")
        self.act("delete")


@pytest.mark.parametrize("verb", LEADS)
@pytest.mark.parametrize("state", STATES)
def test_act_leads_where_the_contract_says_and_is_refused_elsewhere(machine, state, verb):
    machine.bring_to(state)
    rows = len(machine.appliance.audit())
    done = machine.approve(hostname="node-2", check=False) if verb == "approve" else machine.act(verb, check=False)
    leads = LEADS[verb].get(state)
    row = machine.appliance.audit()[rows:]
    if leads is None:
        assert done.returncode == 1 and "machine_state_conflict" in done.stderr
        assert machine.status() == state
        assert [(r["action"], r["reason"], r["new_state"]) for r in row] == [
            (f"machine_{verb}_refused", "machine_state_conflict", None)]
        return
    assert done.returncode == 0, done.stderr
    assert [(r["action"], r["actor"], r["machine_id"], r["prev_state"], r["new_state"]) for r in row] == [
        (verb, "SYSTEM", machine.id, state, None if leads == "gone" else leads)]
    if leads == "gone":
        assert machine.appliance.get("/api/v1/machines/" + machine.id, headers=machine.appliance.operator_headers).status == 404
    else:
        assert machine.status() == leads


def test_unlock_goes_back_to_attested_where_it_was_attested(machine):
    machine.bring_to("attested")
    machine.act("lock", "--reason", "disk \"swap\" \\ ü")
    row = machine.last_row()
    assert (row["prev_state"], row["new_state"], row["reason"]) == ("attested", "locked", "disk \"swap\" \\ ü")
    locked = machine.appliance.machine(machine.id)
    assert locked["locked_at"] is not None
    machine.act("unlock", "--reason", "done")
    row = machine.last_row()
    assert (row["action"], row["prev_state"], row["new_state"], row["reason"]) == ("unlock", "locked", "attested", "done")
    assert machine.appliance.machine(machine.id)["locked_at"] is None


@pytest.mark.parametrize("verb", ["lock", "revoke"])
def test_configuration_token_is_dead_after(machine, verb):
    machine.approve()
    token = machine.attest()["config_token"]
    assert machine.appliance.get("/api/v1/config/" + token).status == 200
    machine.act(verb)
    assert (machine.appliance.get("/api/v1/config/" + token).status) == 404
    if verb == "lock":
        machine.act("unlock")
        assert machine.appliance.get("/api/v1/config/" + token).status == 404  # unlocking gives no token back


def test_locked_machine_learns_that_it_is_locked_and_gets_nothing(machine):
    machine.bring_to("locked")
    answer = machine.keys.attest()
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (200, "locked", "machine_locked")
    assert answer.json["config_token"] is None and answer.json["machine_id"] is None


@pytest.mark.parametrize("state, reason", [("revoked", "machine_revoked"), ("rejected", "machine_rejected")])
def test_registering_again_never_revives(machine, state, reason):
    machine.bring_to(state)
    again = machine.node.register()
    assert (again.status, again.reason) == (403, reason)
    challenge = machine.keys.challenge()
    assert (challenge.status, challenge.reason) == (403, reason)
    answer = machine.appliance.post(ATTEST, dict(machine.keys.identity, session_id="00" * 16))
    assert (answer.status, answer.reason) == (403, reason)
    assert machine.status() == state


def test_deleted_machine_registers_as_a_new_one_that_waits(machine):
    machine.bring_to("attested")
    machine.act("revoke")
    machine.act("delete")
    trail = [r["action"] for r in machine.appliance.audit() if r["machine_id"] == machine.id]
    assert {"self_register", "approve", "attest", "revoke", "delete"} <= set(trail)
    new = machine.node.register()
    assert new.status == 200 and new.json["status"] == "pending_approval" and new.json["machine_id"] != machine.id
    # Its AK died with it: the new machine must prove possession anew.
    machine.id = new.json["machine_id"]
    machine.approve()
    body = machine.keys.nonce_body()
    answer = machine.keys.post(body)
    assert (answer.status, answer.reason) == (403, "ak_not_activated")


# -- wiping -----------------------------------------------------------------------------------------------------------


def wipe_ack(machine, token, machine_id=None):
    return machine.appliance.post(f"/api/v1/machines/{machine_id or machine.id}/wipe-ack", {"wipe_token": token})


def test_revoked_machine_proves_itself_is_told_to_wipe_and_says_that_it_did(machine):
    machine.bring_to("attested")
    machine.act("revoke", "--wipe")
    shown = machine.appliance.machine(machine.id)
    assert shown["wipe_pending"] and shown["revoked_at"]
    assert json.loads(machine.last_row()["detail"]) == {"wipe": True}
    order = machine.attest()
    assert (order["status"], order["action"], order["config_token"]) == ("revoked", "wipe", None)
    answer = wipe_ack(machine, order["wipe_token"])
    assert answer.status == 200 and answer.json["wipe_pending"] is False and answer.json["status"] == "revoked"
    row = machine.last_row()
    assert (row["action"], row["actor"], row["prev_state"], row["new_state"]) == ("wipe_acknowledged", "node", "revoked", "revoked")
    again = wipe_ack(machine, order["wipe_token"])
    assert (again.status, again.reason) == (403, "wipe_token_invalid")
    # The order is over: the machine is refused like any revoked one.
    assert machine.keys.challenge().reason == "machine_revoked"


def test_node_agent_wipes_and_reports_it(machine):
    machine.bring_to("attested")
    machine.act("revoke", "--wipe")
    mark = machine.node.tpm.path("wiped")
    failed = machine.node.agent("--ek", "rsa2048", "--wipe", "/bin/false")
    assert failed.returncode == 1 and machine.appliance.machine(machine.id)["wipe_pending"]
    done = machine.node.agent("--ek", "rsa2048", "--wipe", "/usr/bin/touch " + mark)
    assert done.returncode == 12, done.stderr
    assert os.path.exists(mark) and not machine.appliance.machine(machine.id)["wipe_pending"]
    assert machine.last_row()["action"] == "wipe_acknowledged"


def test_without_proof_no_wipe_token_is_given(machine):
    machine.bring_to("attested")
    machine.act("revoke", "--wipe")
    answer = machine.appliance.post(ATTEST, dict(machine.keys.identity))
    assert (answer.status, answer.reason) == (422, "nonce_missing") and "wipe_token" not in answer.json


@pytest.mark.parametrize("token", ["A" * 43, "x", "00" * 32], ids=["shape", "short", "hex"])
def test_invented_wipe_token_ends_nothing(machine, token):
    machine.bring_to("attested")
    machine.act("revoke", "--wipe")
    refused(machine.appliance, lambda: wipe_ack(machine, token), 403, "wipe_token_invalid", "machine_wipe_ack_refused")
    # Nor does it tell whether there is such a machine.
    unknown = wipe_ack(machine, token, "00000000-0000-4000-8000-000000000000")
    assert (unknown.status, unknown.reason) == (403, "wipe_token_invalid")


def test_operator_ends_the_order_only_with_a_signature(machine):
    machine.bring_to("attested")
    machine.act("revoke", "--wipe")
    bare = machine.appliance.post(f"/api/v1/machines/{machine.id}/wipe-ack", {}, headers=machine.appliance.operator_headers)
    assert (bare.status, bare.reason) == (403, "request_signature_missing")
    machine.act("wipe-ack", "--reason", "seen it")
    row = machine.last_row()
    assert (row["action"], row["actor"], row["reason"]) == ("wipe_acknowledged", "SYSTEM", "seen it")
    assert machine.act("wipe-ack", check=False).returncode == 1


def test_config_token_is_no_wipe_token(machine):
    machine.approve()
    token = machine.attest()["config_token"]
    answer = wipe_ack(machine, token)
    assert (answer.status, answer.reason) == (403, "wipe_token_invalid")


# -- who may ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("method, verb", [("POST", "/lock"), ("POST", "/unlock"), ("POST", "/revoke"), ("POST", "/reject"),
                                          ("POST", "/wipe-ack"), ("DELETE", "")])
def test_nobody_acts_without_a_credential(machine, method, verb):
    path = f"/api/v1/machines/{machine.id}{verb}"
    for headers, reason in (({}, "credential_missing"), ({"Authorization": "Bearer guess"}, "credential_invalid")):
        answer = machine.appliance.request(method, path, None if method == "DELETE" else "{}", headers=headers)
        assert (answer.status, answer.reason) == (401, reason)
    assert machine.status() == "pending_approval"


def test_token_alone_takes_away_but_does_not_give_back(machine):
    machine.bring_to("registered")
    headers, path = machine.appliance.operator_headers, f"/api/v1/machines/{machine.id}"
    assert machine.appliance.post(path + "/lock", {}, headers=headers).json["status"] == "locked"
    answer = machine.appliance.post(path + "/unlock", {}, headers=headers)
    assert (answer.status, answer.reason) == (403, "request_signature_missing")
    assert machine.appliance.request("POST", path + "/revoke", headers=headers).json["status"] == "revoked"
    answer = machine.appliance.request("DELETE", path, headers=headers)
    assert (answer.status, answer.reason) == (403, "request_signature_missing")
    assert machine.status() == "revoked"


def signed(machine, method, verb, body):
    target = f"/api/v1/machines/{machine.id}{verb}"
    lines = run(os.path.join(TOOLS, "sign_request"), machine.appliance.credential, method, target, body).stdout.splitlines()
    return target, dict(zip(("Content-Digest", "Signature-Input", "Signature"), lines), **machine.appliance.operator_headers)


def test_signed_unlock_works_once_and_for_the_machine_that_was_seen_only(machine):
    machine.bring_to("locked")
    body = json.dumps({"ek_fingerprint": "00" * 48})
    target, headers = signed(machine, "POST", "/unlock", body)
    answer = machine.appliance.post(target, body, headers=headers)
    assert (answer.status, answer.reason) == (409, "machine_changed")
    answer = machine.appliance.post(target, body, headers=headers)
    assert (answer.status, answer.reason) == (403, "request_signature_replayed")
    target, headers = signed(machine, "POST", "/unlock", "{}")
    answer = machine.appliance.post(target, "{}", headers=headers)
    assert (answer.status, answer.reason) == (422, "field_missing")
    assert machine.status() == "locked"


def test_signature_over_another_act_is_refused(machine):
    machine.bring_to("locked")
    body = json.dumps({"ek_fingerprint": machine.keys.identity["ek_fingerprint"]})
    _, headers = signed(machine, "POST", "/lock", body)
    answer = machine.appliance.post(f"/api/v1/machines/{machine.id}/unlock", body, headers=headers)
    assert (answer.status, answer.reason) == (403, "request_signature_invalid")


@pytest.mark.parametrize("body, reason", [('{"reason":1}', "field_invalid"), ('{"reason":"' + "a" * 257 + '"}', "too_long"),
                                          ('{"reason":"a\\u0000"}', "json_invalid"), ('{"wipe":true}', "field_unknown"),
                                          ('{"reason":"a","reason":"b"}', "json_invalid"), ("[]", "field_invalid")])
def test_bad_body_is_refused(machine, body, reason):
    machine.bring_to("registered")
    answer = machine.appliance.post(f"/api/v1/machines/{machine.id}/lock", body, headers=machine.appliance.operator_headers)
    assert (answer.status, answer.reason) == (422, reason)
    assert machine.status() == "registered"


def test_unknown_machine_is_not_found(appliance):
    path = "/api/v1/machines/00000000-0000-4000-8000-000000000000/lock"
    answer = appliance.post(path, {}, headers=appliance.operator_headers)
    assert (answer.status, answer.reason) == (404, "machine_unknown")


def test_session_from_before_the_revocation_opens_nothing(machine):
    """Challenged while approved, revoked in between."""
    machine.bring_to("registered")
    assert machine.keys.challenge().status == 200
    body = machine.keys.body()
    machine.act("revoke")
    answer = machine.keys.post(body)
    assert (answer.status, answer.reason) == (403, "machine_revoked")
    assert base64.b64decode(body["activated_secret"])
