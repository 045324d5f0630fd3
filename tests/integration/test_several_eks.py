"""One TPM, several EKs: a further EK joins its machine by proof, and by nothing else."""

import base64
import hashlib
import json
import os
import subprocess
import uuid

import pytest

from appliance import BIN, Appliance, Node, VendorCa, clean_environment, wait_until
from forgery import ek_fields
from hostile import ATTEST, CHALLENGE, REGISTER, Evidence, OtherEk, b64, refused, snapshot

LETS_PENDING = {"high_assurance": False, "ek_trust": {"certificateless": "pending"}}


@pytest.fixture
def rsa(appliance, node):
    """An attested machine that goes by its RSA EK; the P-384 one was never shown."""
    machine_id = node.admit()
    evidence = Evidence(node)
    assert evidence.attest().status == 200
    evidence.machine_id = machine_id
    return evidence


@pytest.fixture
def p384(rsa):
    """The same TPM and AK with its other EK, which waits for approval as a machine of its own."""
    other = OtherEk(rsa)
    answer = other.node.register("p384")
    assert (answer.status, answer.json["status"]) == (200, "pending_approval"), answer
    other.pending_id = answer.json["machine_id"]
    assert other.pending_id != rsa.machine_id
    return other


@pytest.fixture
def stranger(appliance):
    """Another machine with a genuine TPM, approved and attested."""
    machine = Node(appliance)
    machine.machine_id = machine.admit()
    yield Evidence(machine)
    machine.remove()


def eks(appliance, machine_id):
    return [ek["ek_fingerprint"] for ek in appliance.machine(machine_id)["eks"]]


def rows(appliance, action):
    return [row for row in appliance.audit() if row["action"] == action]


def nothing_joined(appliance):
    return not rows(appliance, "ek_joined") and not rows(appliance, "machine_absorbed")


# -- joined -----------------------------------------------------------------------------------------------------------


def test_second_ek_joins_by_proof_and_attests_as_the_same_machine(appliance, rsa, p384):
    joined = p384.ak_activate(rsa.machine_id)
    assert joined.status == 200, joined
    assert joined.json["machine_id"] == rsa.machine_id and joined.json["ak_accepted"] is True and joined.json["message"]

    machine, = appliance.machines()
    assert machine["machine_id"] == rsa.machine_id
    assert machine["ek_fingerprint"] == rsa.identity["ek_fingerprint"]  # the one that was approved
    first, second = appliance.machine(rsa.machine_id)["eks"]
    assert (first["ek_fingerprint"], first["key"], first["names_machine"]) == (rsa.identity["ek_fingerprint"], "RSA-2048", True)
    assert (second["ek_fingerprint"], second["key"], second["names_machine"]) == (p384.identity["ek_fingerprint"], "P-384", False)
    assert first["since"] <= second["since"] and second["ek_source"] == "cert"

    attested = p384.attest()
    assert attested.status == 200 and attested.json["machine_id"] == rsa.machine_id, attested
    assert attested.json["action"] == "apply-config"
    assert attested.json["ek_fingerprints"] == [rsa.identity["ek_fingerprint"], p384.identity["ek_fingerprint"]]
    evidence = json.loads(appliance.cli("machine", "evidence", rsa.machine_id).stdout)
    assert [e["ek_fingerprint"] for e in evidence] == [p384.identity["ek_fingerprint"], rsa.identity["ek_fingerprint"]]
    explained = json.loads(appliance.cli("machine", "explain", rsa.machine_id).stdout)
    assert explained["verdict"] == "pass" and len(explained["eks"]) == 2
    assert [row["machine_id"] for row in rows(appliance, "approve")] == [rsa.machine_id]


def test_exported_evidence_goes_with_the_ek_that_it_came_with(appliance, rsa, p384, tmp_path):
    assert p384.ak_activate(rsa.machine_id).status == 200
    for shown, name in ((p384, "p384"), (rsa, "rsa")):
        assert shown.attest().status == 200
        folder = str(tmp_path / name)
        done = appliance.cli("machine", "export", rsa.machine_id, folder, "-o", "table")
        summary = json.load(open(os.path.join(folder, "evidence.json")))
        assert summary["ek_fingerprint"] == shown.identity["ek_fingerprint"]
        with open(os.path.join(folder, "ek.bin"), "rb") as file:
            assert b64(file.read()) == shown.identity["ek_cert_pem"]
        quote = subprocess.run([os.path.join(BIN, "attestation"), *done.stdout.splitlines()[0].split()[1:], "--json"], capture_output=True)
        assert json.loads(quote.stdout)["valid"] is True


def test_join_is_told_on_both_sides_of_the_audit_log(appliance, rsa, p384):
    assert p384.ak_activate(rsa.machine_id).status == 200
    gone, = rows(appliance, "machine_absorbed")
    joined, = rows(appliance, "ek_joined")
    said = {"ek_fingerprint": p384.identity["ek_fingerprint"], "proved_with": rsa.identity["ek_fingerprint"],
            "machine_id": rsa.machine_id}
    assert (gone["machine_id"], gone["prev_state"]) == (p384.pending_id, "pending_approval") and json.loads(gone["detail"]) == said
    assert (joined["machine_id"], joined["new_state"]) == (rsa.machine_id, "attested") and json.loads(joined["detail"]) == said
    assert appliance.audit_rows() == len(appliance.audit())


def test_configuration_is_sealed_for_the_ek_that_attested(appliance, rsa, p384):
    assert p384.ak_activate(rsa.machine_id).status == 200
    for shown, other in ((p384, rsa), (rsa, p384)):
        token = shown.attest().json["config_token"]
        sealed = appliance.get("/api/v1/config/" + token)
        assert sealed.status == 200, sealed
        assert other.try_activate(sealed.json) is None
        assert len(shown.try_activate(sealed.json)) == 32


def test_attesting_with_the_second_ek_joins_it_as_well(appliance, rsa, p384):
    attested = p384.attest()
    assert attested.status == 200 and attested.json["machine_id"] == rsa.machine_id, attested
    assert attested.json["status"] in ("attested", "already_attested")
    assert len(eks(appliance, rsa.machine_id)) == 2 and len(appliance.machines()) == 1


def test_ek_that_joined_may_bring_an_ak_of_its_own(appliance, rsa, p384):
    """From here on it is the machine's EK like the first one; the first one's AK stays."""
    assert p384.ak_activate(rsa.machine_id).status == 200
    own = Evidence(p384.node, ek="p384")
    assert own.ak_pub != rsa.ak_pub
    assert own.ak_activate(rsa.machine_id).json["ek_joined"] is False
    assert own.attest().json["machine_id"] == rsa.machine_id


def test_joining_twice_is_no_second_join(appliance, rsa, p384):
    assert p384.ak_activate(rsa.machine_id).json["ek_joined"] is True
    again = p384.ak_activate(rsa.machine_id)
    assert again.status == 200 and again.json["ek_joined"] is False
    assert len(rows(appliance, "ek_joined")) == 1 and len(rows(appliance, "ak_activate")) == 2


def test_registering_with_the_joined_ek_names_the_machine(appliance, rsa, p384):
    assert p384.ak_activate(rsa.machine_id).status == 200
    answer = p384.node.register("p384")
    assert (answer.status, answer.json["machine_id"], answer.json["status"]) == (200, rsa.machine_id, "attested")


# -- ak-activate ------------------------------------------------------------------------------------------------------


def test_ak_of_the_first_ek_is_accepted_and_grants_nothing(appliance, node):
    machine_id = node.admit()
    evidence = Evidence(node)
    answer = evidence.ak_activate(machine_id)
    assert answer.status == 200 and set(answer.json) == {"machine_id", "ak_accepted", "ek_joined", "message"}
    machine = appliance.machine(machine_id)
    assert machine["status"] == "registered" and not machine["gates"]["config"] and machine["evidence_at"] is None
    assert evidence.post(evidence.nonce_body()).status == 200  # the AK is the one that was activated


@pytest.mark.parametrize("names", [("pcr_quote", "pcr_signature"), ("quote", "quote_sig")])
def test_quote_may_come_with_it_and_is_then_checked(appliance, rsa, names):
    def send(nonce):
        body = rsa.activation()
        quote, signature = rsa.quote(nonce or base64.b64decode(rsa.session["nonce"]))
        body.update({names[0]: b64(quote), names[1]: b64(signature)})
        return appliance.post(f"/api/v1/machines/{rsa.machine_id}/ak-activate", body)

    assert send(None).status == 200
    refused(appliance, lambda: send(bytes(32)), 403, "quote_nonce_mismatch", "ak_activate_refused")


@pytest.mark.parametrize("field", ["session_id", "activated_secret", "ak_pub", "ek_cert_pem"])
def test_missing_field_is_refused(appliance, rsa, field):
    answer = rsa.ak_activate(rsa.machine_id, **{field: None})
    assert answer.status == 422, answer


def test_session_proves_once(appliance, rsa, p384):
    body = p384.activation()
    path = f"/api/v1/machines/{rsa.machine_id}/ak-activate"
    assert appliance.post(path, body).status == 200
    refused(appliance, lambda: appliance.post(path, body), 403, "session_used", "ak_activate_refused")
    refused(appliance, lambda: appliance.post(ATTEST, body), 403, "session_used", "attest_refused")


def test_machine_in_the_path_must_be_the_one_that_the_proof_leads_to(appliance, rsa, p384, stranger):
    for wrong in (stranger.node.machine_id, p384.pending_id, str(uuid.uuid4())):
        body = p384.activation()
        refused(appliance, lambda: appliance.post(f"/api/v1/machines/{wrong}/ak-activate", body), 403,
                "ek_not_of_this_machine", "ak_activate_refused")
    assert nothing_joined(appliance)
    assert p384.ak_activate(rsa.machine_id).status == 200


def test_machine_that_waits_for_approval_keeps_no_ak(appliance, node):
    node.register()
    evidence = Evidence(node)
    machine_id = node.register().json["machine_id"]
    appliance.break_glass()
    refused(appliance, lambda: appliance.post(f"/api/v1/machines/{machine_id}/ak-activate", evidence.activation()), 403,
            "machine_pending_approval", "ak_activate_refused")
    appliance.approve(machine_id)
    assert evidence.post(evidence.nonce_body()).reason == "ak_not_activated"


# -- claimed, not proved ----------------------------------------------------------------------------------------------


def test_stolen_ak_is_of_no_use_to_another_tpm(appliance, rsa, p384):
    """A genuine TPM that waits for approval, with the public area of somebody's AK: it can't open what was sealed to that AK."""
    thief = Evidence(Node(appliance))
    try:
        assert thief.node.register().json["status"] == "pending_approval"
        waiting = {m["machine_id"]: m for m in snapshot(appliance)}
        assert thief.challenge(ak_pub=b64(rsa.ak_pub)).status == 200
        assert thief.try_activate(thief.session) is None
        body = dict(thief.identity, session_id=thief.session["session_id"], activated_secret=b64(bytes(32)), ak_pub=b64(rsa.ak_pub))
        refused(appliance, lambda: appliance.post(f"/api/v1/machines/{rsa.machine_id}/ak-activate", body), 403,
                "challenge_response_invalid", "ak_activate_refused")
        assert thief.challenge(ak_pub=b64(rsa.ak_pub)).status == 200
        body["session_id"] = thief.session["session_id"]
        refused(appliance, lambda: appliance.post(ATTEST, body), 403, "challenge_response_invalid", "attest_refused")
        assert {m["machine_id"]: m for m in appliance.machines()} == waiting and nothing_joined(appliance)
    finally:
        thief.node.remove()


def test_claimed_ak_changes_and_tells_nothing(appliance, rsa, p384):
    """Without the secret: the same answer for a known AK and for one that nobody has."""
    assert p384.challenge().status == 200
    known = appliance.post(ATTEST, dict(p384.identity, session_id=p384.session["session_id"], ak_pub=b64(rsa.ak_pub)))
    unknown = appliance.post(ATTEST, p384.identity)
    assert (known.status, known.body) == (unknown.status, unknown.body)
    assert known.json["status"] == "pending_approval" and known.json["machine_id"] is None
    assert nothing_joined(appliance)


@pytest.fixture
def lenient():
    """An appliance that lets machines without an EK certificate wait for approval."""
    with Appliance(LETS_PENDING) as running:
        running.break_glass()
        yield running


class SoftwareEk:
    """An EK in a file, and what opens credentials without a TPM."""

    def __init__(self, appliance, workshop, name="ek", certified=False):
        self.appliance, self.workshop, self.name = appliance, workshop, name
        spki = workshop.software_ek(name)
        self.fields = {"ek_pub": b64(spki), "ek_source": "pub", "ek_fingerprint": hashlib.sha384(spki).hexdigest()}
        if certified:
            key = os.path.join(os.path.dirname(VendorCa.get().issuer), "signkey.pem")
            self.fields = ek_fields(workshop.certificate(name, VendorCa.get().issuer, key), self.fields["ek_fingerprint"])
        answer = appliance.post(REGISTER, self.fields)
        assert answer.status == 200, answer
        self.machine_id = answer.json["machine_id"]

    def body(self, ak_pub, **more):
        """A proof that holds: the secret is the right one."""
        material = {name: self.fields[name] for name in self.fields if name != "ek_fingerprint"}
        answer = self.appliance.post(CHALLENGE, dict(material, ak_pub=b64(ak_pub)))
        assert answer.status == 200, answer
        secret = self.workshop.open_credential(answer.json, ak_pub, self.name)
        return dict(self.fields, session_id=answer.json["session_id"], activated_secret=b64(secret), ak_pub=b64(ak_pub), **more)


def test_ek_in_a_file_opens_any_credential_and_joins_nothing(lenient, workshop):
    """It needs no more than the public area of somebody's AK to open what was sealed to both, so it must be trusted by itself."""
    node = Node(lenient)
    try:
        machine_id = node.admit()
        member = Evidence(node)
        assert member.attest().status == 200
        file = SoftwareEk(lenient, workshop)
        answer = lenient.post(ATTEST, file.body(member.ak_pub))
        assert answer.status == 200 and answer.json["status"] == "pending_approval" and answer.json["machine_id"] is None, answer
        refused(lenient, lambda: lenient.post(f"/api/v1/machines/{machine_id}/ak-activate", file.body(member.ak_pub)), 403,
                "ek_not_of_this_machine", "ak_activate_refused")
        assert nothing_joined(lenient) and len(lenient.machine(machine_id)["eks"]) == 1
    finally:
        node.remove()


def test_ek_in_a_file_that_an_operator_let_in_takes_nobody_in(lenient, workshop):
    """The other way round: a machine that claims somebody's AK first is not joined by that TPM's EKs."""
    node = Node(lenient)
    try:
        machine_id = node.admit()
        member = Evidence(node)
        file = SoftwareEk(lenient, workshop)
        lenient.cli("machine", "approve", file.machine_id, "--role", "worker-app", "--accept-unverified-ek", "--yes")
        claimed = lenient.post(f"/api/v1/machines/{file.machine_id}/ak-activate", file.body(member.ak_pub))
        assert claimed.status == 200, claimed
        assert member.attest().json["machine_id"] == machine_id
        other = OtherEk(member)
        other.node.register("p384")
        assert other.attest().json["machine_id"] == machine_id
        assert rows(lenient, "ek_conflict") == []
        assert len(lenient.machine(file.machine_id)["eks"]) == 1
    finally:
        node.remove()


def test_machine_takes_four_eks_and_no_more(appliance, rsa, workshop):
    """As if the vendor's CA had certified keys in files: those it trusts are believed."""
    path = f"/api/v1/machines/{rsa.machine_id}/ak-activate"
    for name in ("one", "two", "three"):
        joined = appliance.post(path, SoftwareEk(appliance, workshop, name, certified=True).body(rsa.ak_pub))
        assert joined.status == 200 and joined.json["ek_joined"], joined
    fifth = SoftwareEk(appliance, workshop, "four", certified=True)
    refused(appliance, lambda: appliance.post(path, fifth.body(rsa.ak_pub)), 409, "machine_eks_exhausted", "ak_activate_refused")
    assert len(eks(appliance, rsa.machine_id)) == 4
    assert appliance.machine(fifth.machine_id)["status"] == "pending_approval"


# -- what was decided of the machine counts -----------------------------------------------------------------------------


@pytest.mark.parametrize("verb, answer, reason", [("revoke", 403, "machine_revoked"), ("lock", 200, "machine_locked")])
def test_what_was_decided_of_the_machine_meets_its_second_ek(appliance, rsa, p384, verb, answer, reason):
    appliance.cli("machine", verb, rsa.machine_id, "--reason", "stolen", *(["--yes"] if verb == "revoke" else []))
    state = appliance.machine(rsa.machine_id)["status"]
    came = p384.attest()
    assert (came.status, came.reason) == (answer, reason), came
    machine, = appliance.machines()
    assert machine["machine_id"] == rsa.machine_id and machine["status"] == state
    assert len(eks(appliance, rsa.machine_id)) == 2
    again = p384.node.register("p384")
    assert (again.status, again.reason) == (403, "machine_revoked") if verb == "revoke" else again.json["status"] == "locked"


def test_ak_activate_of_a_revoked_machines_second_ek_is_refused_and_remembered(appliance, rsa, p384):
    appliance.cli("machine", "revoke", rsa.machine_id, "--reason", "stolen", "--yes")
    answer = p384.ak_activate(rsa.machine_id)
    assert (answer.status, answer.reason) == (403, "machine_revoked")
    assert p384.challenge().reason == "machine_revoked" and len(appliance.machines()) == 1


def test_revoked_machine_is_told_to_wipe_by_its_second_ek_too(appliance, rsa, p384):
    appliance.cli("machine", "revoke", rsa.machine_id, "--reason", "stolen", "--wipe", "--yes")
    told = p384.attest()
    assert told.status == 200 and told.json["action"] == "wipe" and told.json["wipe_token"], told


@pytest.mark.parametrize("state", ["registered", "rejected"])
def test_machine_that_an_operator_decided_on_is_never_absorbed(appliance, rsa, p384, state):
    if state == "rejected":
        p384.challenge()
        body = p384.activation()
        appliance.cli("machine", "reject", p384.pending_id, "--reason", "no", "--yes")
    else:
        appliance.approve(p384.pending_id, hostname="node-2")
        body = p384.activation()
    before = snapshot(appliance)
    answer = appliance.post(f"/api/v1/machines/{rsa.machine_id}/ak-activate", body)
    assert (answer.status, answer.reason) == (403, "ek_of_another_machine"), answer
    alert, = rows(appliance, "ek_conflict")
    assert (alert["machine_id"], alert["reason"]) == (p384.pending_id, "ek_of_another_machine")
    assert json.loads(alert["detail"])["machine_id"] == rsa.machine_id
    assert snapshot(appliance) == before and nothing_joined(appliance)


def test_one_tpm_that_was_approved_as_two_machines_attests_as_neither_by_the_second(appliance, rsa, p384):
    """Until an operator says which of them it is."""
    appliance.approve(p384.pending_id, hostname="node-2")
    answer = p384.attest()
    assert (answer.status, answer.reason) == (403, "ek_of_another_machine"), answer
    assert appliance.machine(p384.pending_id)["status"] == "registered"
    appliance.cli("machine", "revoke", p384.pending_id, "--reason", "the same TPM", "--yes")
    appliance.cli("machine", "delete", p384.pending_id, "--yes")
    p384.node.register("p384")
    assert p384.attest().json["machine_id"] == rsa.machine_id


# -- the node agent -----------------------------------------------------------------------------------------------------


def events(done):
    return [json.loads(line)["event"] for line in done.stderr.splitlines()]


def test_agent_introduces_the_other_ek_and_may_then_show_either(appliance, node):
    machine_id = node.admit("p384")
    first = node.agent("--json")
    assert first.returncode == 0 and "ek_joined" in events(first), first.stderr
    assert eks(appliance, machine_id) == [node.identity(ek)["ek_fingerprint"] for ek in ("p384", "rsa2048")]
    introduced = len(rows(appliance, "self_register")), len(rows(appliance, "ak_activate"))
    again = node.agent("--json")
    assert again.returncode == 0 and "ek_joined" not in events(again), again.stderr
    other = node.agent("--json", "--ek", "rsa2048")
    assert other.returncode == 0 and "attested" in events(other), other.stderr
    assert [m["machine_id"] for m in appliance.machines()] == [machine_id]
    assert len(rows(appliance, "approve")) == 1
    assert introduced == (len(rows(appliance, "self_register")), len(rows(appliance, "ak_activate"))) == (2, 1)


def test_certificate_of_another_tpms_key_is_not_registered(appliance, node):
    """As some vendors leave it in NV memory: it would wait for approval for ever."""
    other = Node(appliance)
    try:
        foreign = base64.b64decode(other.identity("rsa2048")["ek_cert_pem"])
    finally:
        other.remove()
    path = node.tpm.path("foreign")
    with open(path, "wb") as out:
        out.write(foreign)
    node.tpm.tool("tpm2_nvundefine", "-C", "p", "0x01C00002")
    node.tpm.tool("tpm2_nvdefine", "-C", "p", "-s", str(len(foreign)), "-a", "ppwrite|ppread|ownerread|authread|platformcreate|no_da", "0x01C00002")
    node.tpm.tool("tpm2_nvwrite", "-C", "p", "-i", path, "0x01C00002")
    node.admit("p384")
    done = node.agent("--json")
    assert done.returncode == 0 and "ek_not_joined" in events(done), done.stderr
    assert len(appliance.machines()) == 1 and len(rows(appliance, "self_register")) == 1


def test_ek_that_can_not_be_introduced_is_a_warning(appliance, node):
    node.admit("p384")
    node.admit("rsa2048", hostname="node-2")
    done = node.agent("--json")
    assert done.returncode == 0 and "ek_not_joined" in events(done), done.stderr
    said = next(json.loads(line) for line in done.stderr.splitlines() if "ek_not_joined" in line)
    assert "[ek_of_another_machine]" in said["text"]


def test_agent_that_stays_introduces_an_ek_once(appliance, node):
    node.admit("p384")
    log = open(node.tpm.path("agent.log"), "w")
    agent = subprocess.Popen([os.path.join(BIN, "itl-tpm-register"), "--url", appliance.url, "--ca", appliance.chain, "--tcti",
                              node.tpm.tcti, "--state", node.state, "--event-log", "/dev/null", "--stay", "--json"],
                             env=clean_environment(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log)
    try:
        wait_until(lambda: rows(appliance, "ek_joined"), 30, "the other EK to join")
    finally:
        agent.terminate()
        agent.wait(timeout=10)
        log.close()
    assert len(rows(appliance, "self_register")) == 2


def test_certificate_keeps_the_name_of_the_approved_ek(appliance, node):
    prefix = node.tpm.path("enrolled")
    node.agent("--ek", "rsa2048")
    appliance.break_glass()
    appliance.approve(node.machine_id())
    assert node.agent("--ek", "rsa2048").returncode == 0
    done = node.agent("--ek", "p384", "--enroll-cert", prefix)
    assert done.returncode == 0, done.stderr
    issued = json.loads(appliance.cli("cert", "list", "--machine", node.machine_id()).stdout)
    assert [c["name"] for c in issued] == ["urn:itl:ek:" + node.identity("rsa2048")["ek_fingerprint"]]
    assert os.path.exists(prefix + ".crt")
