"""Enrollment certificates, SVIDs and the revocation list, from the token to openssl's word on them."""

import base64
import json
import os
import re
import time

import pytest

from appliance import Appliance, Node, run
from requester import Requester
from hostile import Evidence, b64, refused, snapshot

TRUST_DOMAIN = "prod.example.org"


@pytest.fixture(scope="module")
def appliance():
    changes = {"pki": {"trust_domain": TRUST_DOMAIN, "public_url": "http://pki.example.org/x/"}}
    with Appliance(changes) as running:
        running.break_glass()
        processes = running.children()
        yield running
        assert running.children() == processes  # issuing in the seal killed nobody
        assert running.audit_rows() == len(running.audit())


def admitted(appliance):
    node = Node(appliance)
    machine_id = node.admit()
    evidence = Evidence(node)
    assert evidence.attest().status == 200
    return Requester(evidence, machine_id)


@pytest.fixture(scope="module")
def member(appliance):
    requester = admitted(appliance)
    yield requester
    requester.evidence.node.remove()


@pytest.fixture
def passing(appliance):
    """A machine that a test may lock or revoke."""
    requester = admitted(appliance)
    yield requester
    requester.evidence.node.remove()


@pytest.fixture(scope="module")
def holder(appliance):
    """Another one that has its certificate, for tests that show it."""
    requester = admitted(appliance)
    requester.certificate()
    yield requester
    requester.evidence.node.remove()


@pytest.fixture(scope="module")
def stranger(appliance):
    """Another attested machine: the thief."""
    requester = admitted(appliance)
    yield requester
    requester.evidence.node.remove()


# -- issuing ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("proof", ["session_proof", "nonce_proof"])
def test_attested_machine_gets_a_certificate_that_openssl_verifies(member, proof):
    csr = member.csr()
    answer = member.ask(dict(getattr(member, proof)(csr), csr_pem=b64(csr), profile="enrollment",
                             ek_fingerprint=member.evidence.identity["ek_fingerprint"]))
    assert answer.status == 200, answer
    issued = answer.json
    assert issued["enrollment_key_pem"] == issued["enrollment_key_encrypted_b64"] == "" and issued["svid_pem"] is None
    assert (issued["machine_id"], issued["role"], issued["valid_days"]) == (member.machine_id, "worker-app", 30)
    member.write("enrollment.pem", issued["enrollment_cert_pem"])
    assert "enrollment.pem: OK" in member.verify()
    text = member.show()
    assert f"Subject: CN={member.machine_id},OU=worker-app,O=ITL Usions,C=NL" in text
    assert "Signature Algorithm: ecdsa-with-SHA384" in text
    assert re.search(r"X509v3 Basic Constraints: critical\s+CA:FALSE", text)
    assert re.search(r"X509v3 Key Usage: critical\s+Digital Signature\n", text)
    assert re.search(r"X509v3 Extended Key Usage: \s+TLS Web Client Authentication\n", text)
    assert re.search(r"X509v3 Subject Alternative Name: \s+URI:urn:itl:ek:" + member.evidence.identity["ek_fingerprint"] + "\n", text)
    assert "URI:http://pki.example.org/x/pki/enrollment-ca.crl" in text
    assert "evil" not in text and "operator" not in text
    assert len(member.serial()) == 32
    row = member.appliance.audit()[-1]
    assert (row["action"], row["machine_id"]) == ("certificate_issue", member.machine_id)
    assert json.loads(row["detail"])["serial"] == member.serial()


@pytest.mark.parametrize("kind", ["p256", "rsa2048"])
def test_other_keys_that_the_contract_names_are_certified(member, kind):
    member.certificate(csr=member.csr(kind), profile="enrollment")
    assert "enrollment.pem: OK" in member.verify()


def test_session_without_a_quote_over_this_key_is_refused(member):
    """The secret alone would let whoever carries it, such as a compromised front, put its own key in."""
    csr = member.csr()
    proof = member.session_proof(csr)
    other = member.csr(name="other")
    proof.pop("pcr_quote"), proof.pop("pcr_signature")
    refused(member.appliance, lambda: member.ask(dict(proof, csr_pem=b64(csr))), 403, "quote_missing", "request_cert_refused")
    proof = member.session_proof(csr)
    refused(member.appliance, lambda: member.ask(dict(proof, csr_pem=b64(other))), 403, "quote_nonce_mismatch", "request_cert_refused")


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072"])
def test_key_of_the_appliances_making_opens_with_the_wrapping_key_only(member, kind):
    spki = member.wrapping_key(kind)
    answer = member.ask(dict(member.nonce_proof(spki), wrapping_key_pem=b64(spki), profile="enrollment"))
    assert answer.status == 200, answer
    assert answer.json["enrollment_key_pem"] == "" and b"PRIVATE" not in answer.body
    assert (answer.json["enrollment_key_wrapping"] is None) == (kind == "rsa3072")
    sealed = base64.b64decode(answer.json["enrollment_key_encrypted_b64"])
    wrapping = answer.json["enrollment_key_wrapping"]
    member.write("sealed", base64.b64decode(wrapping["wrapped_key"]) if wrapping else sealed)
    member.openssl("pkeyutl", "-decrypt", "-inkey", "wrap.key", "-in", "sealed", "-out", "opened", "-pkeyopt", "rsa_padding_mode:oaep",
                   "-pkeyopt", "rsa_oaep_md:sha256")
    if wrapping:
        member.write("opened", open_gcm(member, member.read("opened"), base64.b64decode(wrapping["iv"]), sealed))
    member.write("enrollment.pem", answer.json["enrollment_cert_pem"])
    assert "enrollment.pem: OK" in member.verify()
    certified = member.openssl("x509", "-in", "enrollment.pem", "-noout", "-pubkey").stdout
    assert member.openssl("pkey", "-in", "opened", "-pubout").stdout == certified


def open_gcm(member, key, iv, sealed):
    """Counter mode by openssl, which has no GCM on its command line; the tag's check is a unit test's."""
    member.write("body", sealed[:-16])
    member.openssl("enc", "-d", "-aes-256-ctr", "-K", key.hex(), "-iv", (iv + b"\0\0\0\2").hex(), "-in", "body", "-out", "plain")
    return member.read("plain")


# -- SVIDs --------------------------------------------------------------------------------------------------------------------


def spiffe_check(member, name):
    """What go-spiffe's x509svid.Verify looks at: one URI, a path, no CA, no signing of certificates, digitalSignature."""
    text = member.show(name)
    names = re.search(r"X509v3 Subject Alternative Name:.*\n\s+(.*)\n", text).group(1)
    assert re.fullmatch(r"URI:spiffe://[a-z0-9._-]+(/[A-Za-z0-9._-]+)+", names), names
    assert "CA:FALSE" in text and re.search(r"X509v3 Key Usage: critical\s+Digital Signature\n", text)
    assert re.search(r"X509v3 Extended Key Usage: \s+TLS Web Server Authentication, TLS Web Client Authentication\n", text)
    return names[len("URI:"):]


def test_svid_names_the_tpm_and_lasts_an_hour(member):
    issued = member.certificate("svid", profile="svid")
    assert issued["enrollment_cert_pem"] == "" and issued["expires_at"] is None
    machine = member.appliance.machine(member.machine_id)
    manufacturer = machine["ek_manufacturer"].removeprefix("id:")
    expected = f"spiffe://{TRUST_DOMAIN}/agents/tpm/{manufacturer}/{machine['ek_public_hash']}"
    assert spiffe_check(member, "svid.pem") == issued["spiffe_id"] == expected
    for purpose in ("sslclient", "sslserver"):
        assert "svid.pem: OK" in member.verify("svid.pem", purpose)
    end = member.openssl("x509", "-in", "svid.pem", "-noout", "-checkend", "3500", check=False).returncode
    assert end == 0 and member.openssl("x509", "-in", "svid.pem", "-noout", "-checkend", "3700", check=False).returncode == 1


def test_both_come_together_by_default(member):
    issued = member.certificate()
    assert issued["enrollment_cert_pem"] and issued["svid_pem"] and issued["spiffe_id"]


def test_bundle_holds_the_ca_that_signed_the_svid(member):
    answer = member.appliance.get("/pki/bundle.json")
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/json"
    key, = answer.json["keys"]
    assert (key["use"], key["kty"], key["crv"]) == ("x509-svid", "EC", "P-384")
    assert answer.json["spiffe_sequence"] > 0 and answer.json["spiffe_refresh_hint"] > 0
    member.fetch_pki()
    member.write("ca.der", base64.b64decode(key["x5c"][0]))
    member.certificate("svid", profile="svid")
    member.openssl("x509", "-inform", "DER", "-in", "ca.der", "-out", "bundle.pem")
    assert member.openssl("verify", "-CAfile", "bundle.pem", "svid.pem").stdout == "svid.pem: OK\n"
    point = base64.urlsafe_b64decode(key["x"] + "==") + base64.urlsafe_b64decode(key["y"] + "==")
    member.openssl("x509", "-in", "bundle.pem", "-noout", "-pubkey", "-out", "bundle.pub")
    member.openssl("pkey", "-pubin", "-in", "bundle.pub", "-outform", "DER", "-out", "bundle.spki")
    assert member.read("bundle.spki").endswith(point)


def test_without_a_trust_domain_there_are_no_svids():
    with Appliance() as appliance:
        appliance.break_glass()
        machine = admitted(appliance)
        try:
            assert machine.certificate()["svid_pem"] is None
            refused(appliance, lambda: machine.request(profile="svid"), 404, "trust_domain_not_set", "request_cert_refused")
            assert appliance.get("/pki/bundle.json").reason == "trust_domain_not_set"
        finally:
            machine.evidence.node.remove()


def test_value_that_fits_no_spiffe_id_is_an_error_and_issues_nothing():
    changes = {"pki": {"trust_domain": TRUST_DOMAIN, "spiffe_id_template": "/{{machine_id}}/{{hostname}}"}}
    with Appliance(changes) as appliance:
        appliance.break_glass()
        node = Node(appliance)
        machine_id = node.register().json["machine_id"]
        appliance.cli("machine", "approve", machine_id, "--role", "worker-app", "--yes")  # no hostname
        evidence = Evidence(node)
        assert evidence.attest().status == 200
        machine = Requester(evidence, machine_id)
        try:
            refused(appliance, machine.request, 409, "spiffe_id_unrepresentable", "request_cert_refused")
            assert certificates_of(machine) == []
            assert machine.request(profile="enrollment").status == 200
        finally:
            node.remove()


@pytest.mark.parametrize("pki", [{"spiffe_id_template": "/{{role}}"}, {"spiffe_id_template": "/{{machine_id}}/{{nothing}}"},
                                 {"spiffe_id_template": "/{{machine_id}}/../x"}], ids=["shared", "unknown", "dots"])
def test_template_that_gives_no_identity_is_refused_at_the_start(pki):
    appliance = Appliance({"pki": dict(pki, trust_domain=TRUST_DOMAIN)})
    try:
        assert "pki.spiffe_id_template" in appliance.start_refused()
    finally:
        appliance.remove()


# -- who gets none ------------------------------------------------------------------------------------------------------------


def certificates_of(requester):
    answer = requester.appliance.get("/api/v1/certificates?machine_id=" + requester.machine_id, headers=requester.appliance.operator_headers)
    assert answer.status == 200, answer
    return answer.json


def test_fingerprint_and_certificate_of_the_ek_are_no_proof(member):
    csr = member.csr()
    for body in ({}, dict(member.evidence.identity)):
        refused(member.appliance, lambda: member.ask(dict(body, csr_pem=b64(csr))), 422, "nonce_missing", "request_cert_refused")


def test_another_machines_session_is_refused(member, stranger):
    csr = stranger.csr()
    proof = stranger.session_proof(csr)
    refused(member.appliance, lambda: member.ask(dict(proof, csr_pem=b64(csr))), 403, "session_unknown", "request_cert_refused")


def test_another_machines_ak_is_refused(member, stranger):
    csr = stranger.csr()
    proof = stranger.nonce_proof(csr)
    refused(member.appliance, lambda: member.ask(dict(proof, csr_pem=b64(csr))), 403, "quote_signature_invalid", "request_cert_refused")


def test_proof_counts_once(member):
    csr = member.csr()
    for proof, status, reason in ((member.session_proof(csr), 403, "session_used"), (member.nonce_proof(csr), 409, "nonce_used")):
        body = dict(proof, csr_pem=b64(csr))
        assert member.ask(body).status == 200
        refused(member.appliance, lambda: member.ask(body), status, reason, "request_cert_refused")


def test_quote_of_an_attestation_certifies_nothing(member):
    """Its qualifying data is the nonce alone."""
    csr = member.csr()
    body = member.evidence.nonce_body()
    refused(member.appliance, lambda: member.ask(dict(body, csr_pem=b64(csr))), 403, "quote_nonce_mismatch", "request_cert_refused")


def test_proof_for_a_certificate_is_no_attestation(member):
    proof = member.nonce_proof(member.csr())
    answer = member.evidence.post(dict(member.evidence.identity, **proof))
    assert (answer.status, answer.reason) == (403, "quote_nonce_mismatch")


def test_wrong_fingerprint_is_refused(member, stranger):
    csr = member.csr()
    body = dict(member.nonce_proof(csr), csr_pem=b64(csr), ek_fingerprint=stranger.evidence.identity["ek_fingerprint"])
    refused(member.appliance, lambda: member.ask(body), 403, "ek_fingerprint_mismatch", "request_cert_refused")


@pytest.mark.parametrize("state, reason", [("registered", "machine_not_attested"), ("pending", "machine_pending_approval")])
def test_machine_that_never_attested_gets_none(appliance, state, reason):
    node = Node(appliance)
    try:
        machine_id = node.register().json["machine_id"]
        if state == "registered":
            appliance.approve(machine_id)
        requester = Requester(Evidence(node), machine_id)
        csr = requester.csr()
        assert requester.evidence.challenge().status == 200
        body = dict(requester.session_proof(csr), csr_pem=b64(csr))
        refused(appliance, lambda: requester.ask(body), 403, reason, "request_cert_refused")
    finally:
        node.remove()


@pytest.mark.parametrize("verb, reason", [("lock", "machine_locked"), ("revoke", "machine_revoked")])
def test_locked_or_revoked_machine_gets_none(passing, verb, reason):
    csr = passing.csr()
    body = dict(passing.session_proof(csr), csr_pem=b64(csr))
    passing.appliance.cli("machine", verb, passing.machine_id, *([] if verb == "lock" else ["--yes"]))
    refused(passing.appliance, lambda: passing.ask(body), 403, reason, "request_cert_refused")


def test_unknown_machine_is_not_found(member):
    csr = member.csr()
    answer = member.ask(dict(member.nonce_proof(csr), csr_pem=b64(csr)), "00000000-0000-4000-8000-000000000000")
    assert (answer.status, answer.reason) == (404, "machine_unknown")


def test_bad_requests_for_certificates_are_refused_before_the_proof_is_used(member):
    good = member.csr()
    member.openssl("req", "-new", "-newkey", "rsa:1024", "-noenc", "-keyout", "weak.key", "-subj", "/CN=x", "-outform", "DER", "-out", "weak.csr")
    broken = good[:-4] + bytes(4)
    proof = member.nonce_proof(good)
    for body, reason in (({"csr_pem": b64(member.read("weak.csr"))}, "csr_key_unsupported"), ({"csr_pem": b64(broken)}, "csr_signature_invalid"),
                         ({"csr_pem": b64(good + b"\0")}, "csr_unreadable"), ({"csr_pem": b64(bytes(4096))}, "csr_unreadable"),
                         ({}, "csr_missing"), ({"csr_pem": b64(good), "wrapping_key_pem": b64(member.wrapping_key("rsa2048"))}, "csr_missing"),
                         ({"wrapping_key_pem": b64(member.wrapping_key("p384"))}, "wrapping_key_invalid"),
                         ({"wrapping_key_pem": b64(member.wrapping_key("rsa1024"))}, "wrapping_key_invalid")):
        answer = member.ask(dict(proof, **body))
        assert (answer.status, answer.reason) == (422, reason), (body, answer)
    assert member.ask(dict(proof, csr_pem=b64(good))).status == 200


def test_live_certificates_of_one_machine_are_bounded(passing):
    csr = passing.csr()
    for _ in range(32):
        assert passing.request(csr, profile="enrollment").status == 200
    refused(passing.appliance, lambda: passing.request(csr, profile="enrollment"), 429, "certificates_exhausted", "request_cert_refused")


# -- revocation ---------------------------------------------------------------------------------------------------------------


def test_revoked_machines_certificates_are_on_the_list_and_stay_there_when_it_is_deleted(passing):
    passing.certificate()
    serial = passing.serial()
    number = passing.crl_number()
    assert "enrollment.pem: OK" in passing.verify()
    passing.appliance.cli("machine", "revoke", passing.machine_id, "--yes")
    assert "certificate revoked" in passing.verify()
    text = passing.crl_text()
    assert serial.upper() in text and "Privilege Withdrawn" in text
    assert passing.crl_number() > number
    passing.appliance.cli("machine", "delete", passing.machine_id, "--yes")
    assert "certificate revoked" in passing.verify()
    answer = passing.enroll()
    assert (answer.status, answer.reason) == (403, "certificate_refused")


def test_lock_puts_certificates_on_hold_and_unlock_takes_them_off(passing):
    passing.certificate()
    passing.appliance.cli("machine", "lock", passing.machine_id)
    assert "Certificate Hold" in passing.crl_text() and "certificate revoked" in passing.verify()
    assert (passing.enroll().status, passing.enroll().reason) == (403, "machine_locked")
    passing.appliance.cli("machine", "unlock", passing.machine_id, "--yes")
    assert passing.serial().upper() not in passing.crl_text() and "enrollment.pem: OK" in passing.verify()


def test_another_role_ends_certificates_that_name_the_old_one(passing):
    passing.certificate()
    passing.appliance.cli("machine", "approve", passing.machine_id, "--role", "worker-infra", "--yes")
    assert "certificate revoked" in passing.verify() and "Affiliation Changed" in passing.crl_text()


def test_list_is_signed_numbered_and_made_anew_only_when_something_changed(member):
    member.fetch_pki()
    assert "verify OK" in member.openssl("crl", "-in", "crl.pem", "-CAfile", "enrollment-ca.pem", "-noout").stderr
    first = member.appliance.get("/pki/enrollment-ca.crl")
    time.sleep(1.1)
    assert member.appliance.get("/pki/enrollment-ca.crl").body == first.body
    again = member.appliance.get("/pki/enrollment-ca.crl", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status, again.body) == (304, b"")
    text = member.crl_text()
    assert "Version 2" in text and "Signature Algorithm: ecdsa-with-SHA384" in text
    times = re.search(r"Last Update: (.*) GMT\n\s+Next Update: (.*) GMT", text).groups()
    seconds = [time.mktime(time.strptime(t, "%b %d %H:%M:%S %Y")) for t in times]
    assert seconds[1] - seconds[0] == 24 * 3600


def test_list_survives_a_restart_and_its_number_goes_on(passing):
    with Appliance() as appliance:
        appliance.break_glass()
        machine = admitted(appliance)
        try:
            number = machine.crl_number()
            machine.certificate()
            appliance.stop()
            appliance.start()
            assert machine.crl_number() == number and "enrollment.pem: OK" in machine.verify()
            appliance.cli("machine", "revoke", machine.machine_id, "--yes")
            assert machine.crl_number() == number + 1
        finally:
            machine.evidence.node.remove()


def test_operator_lists_and_revokes_one_certificate(passing):
    passing.certificate(profile="enrollment")
    serial = passing.serial()
    listed, = json.loads(passing.appliance.cli("cert", "list", "--machine", passing.machine_id).stdout)
    assert (listed["serial"], listed["kind"], listed["role"], listed["revoked_at"]) == (serial, "enrollment", "worker-app", None)
    done = passing.appliance.cli("cert", "revoke", serial, "--reason", "lost", "--yes")
    assert json.loads(done.stdout)["revoked_reason"] == "unspecified"
    row = passing.appliance.audit()[-1]
    assert (row["action"], row["actor"], row["machine_id"], row["reason"]) == ("certificate_revoke", "SYSTEM", passing.machine_id, "lost")
    assert "certificate revoked" in passing.verify()
    again = passing.appliance.cli("cert", "revoke", serial, "--yes", check=False)
    assert again.returncode == 1 and "certificate_revoked" in again.stderr
    assert (passing.enroll().status, passing.enroll().reason) == (403, "certificate_refused")
    # The machine itself is none the worse for it.
    assert passing.request(profile="enrollment").status == 200


def test_list_pages_through_all_certificates(member):
    for _ in range(2):
        member.certificate(profile="enrollment")
    headers = member.appliance.operator_headers
    everything = member.appliance.get("/api/v1/certificates", headers=headers).json
    paged, after = [], ""
    while True:
        answer = member.appliance.get("/api/v1/certificates?limit=2" + after, headers=headers)
        paged += answer.json
        if "X-Next-After" not in answer.headers:
            break
        after = "&after=" + answer.headers["X-Next-After"]
    assert paged == everything and len(everything) > 2


@pytest.mark.parametrize("serial", ["00" * 16, "zz", "ab" * 15])
def test_unknown_certificate_is_not_found(appliance, serial):
    answer = appliance.post(f"/api/v1/certificates/{serial}/revoke", {}, headers=appliance.operator_headers)
    assert (answer.status, answer.reason) == (404, "certificate_unknown")


# -- enrolling ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind, digest", [("p384", "sha384"), ("rsa2048", "sha256")])
def test_certificate_and_a_signed_nonce_say_who_a_machine_is(member, kind, digest):
    member.certificate(csr=member.csr(kind), profile="enrollment")
    body = member.enroll_body(digest=digest)
    answer = member.appliance.post("/api/v1/machines/enroll", body)
    assert answer.status == 200, answer
    assert (answer.json["machine_id"], answer.json["status"], answer.json["action"]) == (member.machine_id, "attested", "none")
    assert answer.json["config_token"] is None  # what needs the TPM's evidence is not given for a certificate
    refused(member.appliance, lambda: member.appliance.post("/api/v1/machines/enroll", body), 409, "nonce_used", "enroll_refused")


def test_registered_machine_is_recorded_but_must_attest(passing):
    passing.certificate()
    passing.appliance.cli("machine", "approve", passing.machine_id, "--role", "worker-app", "--hostname", "other", "--yes")
    answer = passing.enroll()
    assert (answer.status, answer.json["status"], answer.json["reason"]) == (200, "registered", "attestation_required")
    assert passing.appliance.machine(passing.machine_id)["status"] == "registered"
    row = passing.appliance.audit()[-1]
    assert (row["action"], row["prev_state"], row["new_state"]) == ("enroll_recorded", "registered", "registered")


def test_where_policy_allows_it_a_certificate_attests_but_delivers_nothing():
    with Appliance({"high_assurance": False, "pki": {"certificate_enrollment": True}}) as appliance:
        appliance.break_glass()
        machine = admitted(appliance)
        try:
            machine.certificate()
            appliance.cli("machine", "approve", machine.machine_id, "--role", "worker-app", "--hostname", "other", "--yes")
            answer = machine.enroll()
            assert (answer.status, answer.json["status"], answer.json["assurance"]) == (200, "attested", "certificate")
            assert answer.json["config_token"] is None and answer.json["config_url"] is None
            row = appliance.audit()[-1]
            assert (row["action"], row["prev_state"], row["new_state"]) == ("enroll", "registered", "attested")
            assert "pki.certificate_enrollment" in json.dumps(appliance.get("/healthz").json)
        finally:
            machine.evidence.node.remove()


@pytest.mark.parametrize("verb, reason", [("lock", "machine_locked"), ("revoke", "machine_revoked")])
def test_machine_that_was_locked_or_revoked_can_not_enroll(passing, verb, reason):
    passing.certificate()
    passing.appliance.cli("machine", verb, passing.machine_id, *([] if verb == "lock" else ["--yes"]))
    machines = snapshot(passing.appliance)
    answer = passing.enroll()
    assert (answer.status, answer.reason) == (403, reason)
    assert snapshot(passing.appliance) == machines


def test_svid_enrolls_nobody(member):
    member.certificate("svid", profile="svid")
    refused(member.appliance, lambda: member.enroll(cert_pem=member.read("svid.pem").decode()), 403, "certificate_invalid", "enroll_refused")


def test_someone_elses_certificate_without_its_key_enrolls_nobody(holder, stranger):
    stranger.certificate("stolen")
    body = dict(holder.enroll_body(), cert_pem=stranger.read("stolen.pem").decode())
    refused(holder.appliance, lambda: holder.appliance.post("/api/v1/machines/enroll", body), 403, "certificate_signature_invalid", "enroll_refused")


def test_certificate_of_a_namesake_ca_enrolls_nobody(holder):
    """Everything as on the real one, but for the signature."""
    holder.key(name="namesake")
    holder.openssl("req", "-x509", "-new", "-key", "namesake.key", "-subj", "/C=NL/O=ITL Usions/CN=ITL Machine Enrollment CA", "-days", "9",
                   "-out", "namesake.pem")
    holder.openssl("req", "-new", "-key", "node.key", "-subj", "/CN=" + holder.machine_id, "-out", "forged.csr")
    holder.write("forged.ext", "extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n")
    holder.openssl("x509", "-req", "-in", "forged.csr", "-CA", "namesake.pem", "-CAkey", "namesake.key", "-days", "9", "-extfile", "forged.ext",
                   "-set_serial", "0x" + holder.serial(), "-out", "forged.pem")
    body = holder.enroll_body("forged.pem")
    refused(holder.appliance, lambda: holder.appliance.post("/api/v1/machines/enroll", body), 403, "certificate_invalid", "enroll_refused")


@pytest.mark.parametrize("changes, status, reason", [
    ({"nonce_id": None}, 422, "nonce_missing"), ({"nonce_id": "00" * 16}, 422, "nonce_unknown"), ({"nonce": "A" * 44}, 422, "nonce_unknown"),
    ({"nonce_signature": b64(b"x")}, 403, "certificate_signature_invalid"), ({"cert_pem": b64(b"x")}, 403, "certificate_invalid")])
def test_enrollment_with_a_wrong_part_is_refused(holder, changes, status, reason):
    body = {k: v for k, v in dict(holder.enroll_body(), **changes).items() if v is not None}
    refused(holder.appliance, lambda: holder.appliance.post("/api/v1/machines/enroll", body), status, reason, "enroll_refused")


def test_certificate_of_another_ca_file_is_not_started_with(appliance):
    """The file must belong to the key in the token."""
    other = Appliance()
    try:
        path = other.state + "/pki/enrollment-ca.pem"
        key = other.folder + "/other.key"
        run("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-noenc", "-keyout", key, "-subj", "/CN=x", "-days", "9",
            "-out", path, "-addext", "keyUsage=critical,keyCertSign,cRLSign")
        assert "ca_certificate_invalid" in other.start_refused()
    finally:
        other.remove()


# -- the node agent -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [("--ek", "rsa2048", "--ak", "p384"), ("--ek", "p384", "--ak", "p256"), ("--ek", "rsa2048", "--ak", "rsa2048")],
                         ids=["p384", "p256", "rsa2048"])
def test_node_agent_brings_certificates_each_for_a_key_of_its_own(appliance, keys):
    node = Node(appliance)
    try:
        assert node.agent(*keys).returncode == 10
        machine_id = appliance.machines()[-1]["machine_id"]  # in the order in which they registered
        appliance.approve(machine_id)
        prefix = node.tpm.path("enrollment")
        done = node.agent(*keys, "--enroll-cert", prefix)
        assert done.returncode == 0, done.stderr
        for kind in ("", "-svid"):
            assert os.stat(prefix + kind + ".key").st_mode & 0o777 == 0o400
            assert run("openssl", "verify", "-CAfile", prefix + "-ca.crt", prefix + kind + ".crt").stdout.strip().endswith("OK")
            certified = run("openssl", "x509", "-in", prefix + kind + ".crt", "-noout", "-pubkey").stdout
            assert run("openssl", "pkey", "-in", prefix + kind + ".key", "-pubout").stdout == certified
        assert f"CN = {machine_id}" in run("openssl", "x509", "-in", prefix + ".crt", "-noout", "-subject").stdout
    finally:
        node.remove()
