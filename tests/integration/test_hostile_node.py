"""A node that lies, in every way we know. Each lie has its own reason, leaves its audit row, and changes and obtains nothing."""

import base64
import hashlib
import http.client
import json
import os
import secrets
import time

import pytest

from appliance import Answer, Appliance, Node, VendorCa, wait_until
from forgery import ATTRIBUTES, Workshop, ek_fields, flip, sized, spread, with_attributes
from hostile import Evidence, b64, refused, snapshot

REGISTER, CHALLENGE, ATTEST = "/api/v1/self-register", "/api/v1/attest/challenge", "/api/v1/attest"


@pytest.fixture(scope="module")
def appliance():
    with Appliance() as running:
        running.break_glass()
        processes = running.children()
        yield running
        assert running.children() == processes  # none died and was replaced
        assert running.audit_rows() == len(running.audit())


@pytest.fixture(scope="module")
def victim(appliance):
    """An approved machine, never attested: it has no AK yet."""
    yield from evidence_of(appliance)


@pytest.fixture(scope="module")
def member(appliance):
    """An attested machine with its AK."""
    for evidence in evidence_of(appliance):
        assert evidence.attest().status == 200
        yield evidence


@pytest.fixture(scope="module")
def thief(appliance):
    """The attacker's own machine, with a genuine TPM and approved as well: the strongest starting point."""
    yield from evidence_of(appliance)


def evidence_of(appliance):
    node = Node(appliance)
    node.admit()
    yield Evidence(node)
    node.remove()


@pytest.fixture
def workshop():
    made = Workshop()
    yield made
    made.remove()


def attest_refused(evidence, body, status, reason):
    """The honest body has the changes already; whose it is, is in the row."""
    row = refused(evidence.appliance, lambda: evidence.post(body), status, reason, "attest_refused")
    assert json.loads(row["detail"]) == {"ek_fingerprint": body["ek_fingerprint"]}


def session_body(evidence, **changes):
    assert evidence.challenge().status == 200
    return evidence.body(**changes)


def nonce_of(evidence):
    return base64.b64decode(evidence.session["nonce"])


# -- a copied EK certificate ------------------------------------------------------------------------------------------


@pytest.fixture
def impostor(appliance, victim, thief):
    """The thief with the victim's certificate, a challenge for it and its own TPM's AK."""
    challenge = appliance.post(CHALLENGE, {"ek_cert_pem": victim.identity["ek_cert_pem"], "ak_pub": b64(thief.ak_pub)})
    assert challenge.status == 200, challenge
    quote, signature = thief.quote(base64.b64decode(challenge.json["nonce"]))
    return challenge.json, dict(victim.identity, session_id=challenge.json["session_id"], nonce_id=challenge.json["nonce_id"],
                                ak_pub=b64(thief.ak_pub), pcr_quote=b64(quote), pcr_signature=b64(signature))


def test_copied_certificate_does_not_open_the_challenge(thief, impostor):
    assert thief.try_activate(impostor[0]) is None


@pytest.mark.parametrize("guess", [bytes(32), secrets.token_bytes(32), bytes(31), b"\0", secrets.token_bytes(64)],
                         ids=["zeros", "random", "short", "one byte", "long"])
def test_guessed_secret_is_refused(victim, impostor, guess):
    attest_refused(victim, dict(impostor[1], activated_secret=b64(guess)), 403, "challenge_response_invalid")


@pytest.mark.parametrize("absent", [None, ""], ids=["absent", "empty"])
def test_copied_certificate_without_a_secret_is_refused(victim, impostor, absent):
    attest_refused(victim, dict(impostor[1], activated_secret=absent), 403, "ak_not_activated")


def test_secret_of_the_attackers_own_challenge_is_refused(victim, thief, impostor):
    assert thief.challenge().status == 200
    attest_refused(victim, dict(impostor[1], activated_secret=b64(thief.activate())), 403, "challenge_response_invalid")


def test_copied_certificate_of_an_attested_machine_is_refused(appliance, member, thief):
    challenge = appliance.post(CHALLENGE, {"ek_cert_pem": member.identity["ek_cert_pem"], "ak_pub": b64(thief.ak_pub)}).json
    quote, signature = thief.quote(base64.b64decode(challenge["nonce"]))
    body = dict(member.identity, session_id=challenge["session_id"], pcr_quote=b64(quote), pcr_signature=b64(signature))
    attest_refused(member, body, 403, "ak_mismatch")


# -- a software EK ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path, action", [(REGISTER, "self_register_refused"), (ATTEST, "attest_refused")])
def test_self_signed_ek_certificate_is_refused(appliance, workshop, path, action):
    fingerprint = hashlib.sha384(workshop.software_ek()).hexdigest()
    body = ek_fields(workshop.certificate("ek"), fingerprint)
    refused(appliance, lambda: appliance.post(path, body), 403, "ek_not_trusted", action)


@pytest.mark.parametrize("path, action", [(REGISTER, "self_register_refused"), (ATTEST, "attest_refused")])
@pytest.mark.parametrize("called", ["root", "issuer"])
def test_ek_certificate_by_a_namesake_of_the_real_ca_is_refused(appliance, workshop, path, action, called):
    fingerprint = hashlib.sha384(workshop.software_ek()).hexdigest()
    ca = workshop.namesake(getattr(VendorCa.get(), called))
    body = ek_fields(workshop.certificate("ek", *ca), fingerprint)
    refused(appliance, lambda: appliance.post(path, body), 403, "ek_chain_invalid", action)


def test_the_same_certificate_by_the_real_ca_would_have_been_accepted(appliance, workshop):
    """So the three tests above fail for the signature alone."""
    fingerprint = hashlib.sha384(workshop.software_ek()).hexdigest()
    key = os.path.join(os.path.dirname(VendorCa.get().issuer), "signkey.pem")
    body = ek_fields(workshop.certificate("ek", VendorCa.get().issuer, key), fingerprint)
    answer = appliance.post(REGISTER, body)
    assert (answer.status, answer.json["status"]) == (200, "pending_approval"), answer


@pytest.mark.parametrize("path, action", [(REGISTER, "self_register_refused"), (ATTEST, "attest_refused")])
def test_bare_software_ek_is_refused(appliance, workshop, path, action):
    spki = workshop.software_ek()
    body = {"ek_pub": b64(spki), "ek_source": "pub", "ek_fingerprint": hashlib.sha384(spki).hexdigest()}
    refused(appliance, lambda: appliance.post(path, body), 403, "ek_certificate_required", action)


def test_unknown_ek_gets_no_challenge(appliance, workshop, thief):
    workshop.software_ek()
    body = {"ek_cert_pem": b64(workshop.certificate("ek")), "ak_pub": b64(thief.ak_pub)}
    refused(appliance, lambda: appliance.post(CHALLENGE, body), 404, "machine_unknown", "challenge_refused")


def test_certificate_of_ones_own_making_over_a_real_ek_is_refused(victim, workshop):
    """The key is the approved machine's and the proof is real, but who says that the key is a TPM's?"""
    body = session_body(victim, ek_cert_pem=b64(forged_certificate(victim, workshop)))
    attest_refused(victim, body, 403, "ek_not_trusted")


def forged_certificate(evidence, workshop):
    """Over the machine's real EK, signed by a key of the forger's."""
    workshop.software_ek()
    workshop.write("real.der", base64.b64decode(evidence.identity["ek_cert_pem"]))
    public = workshop.write("real.pem", workshop.openssl("x509", "-inform", "DER", "-in", "real.der", "-noout", "-pubkey"))
    return workshop.certificate("ek", public_pem=public)


def test_bare_key_instead_of_the_certificate_is_refused(victim):
    body = session_body(victim)
    der = b64(victim.tpm.read("ek.pub"))
    body.pop("ek_cert_pem")
    attest_refused(victim, dict(body, ek_pub=der, ek_source="pub"), 403, "ek_certificate_required")


@pytest.mark.parametrize("path, action", [(REGISTER, "self_register_refused"), (ATTEST, "attest_refused")])
def test_fingerprint_of_another_ek_is_refused(appliance, victim, thief, path, action):
    body = dict(victim.identity, ek_fingerprint=thief.identity["ek_fingerprint"])
    refused(appliance, lambda: appliance.post(path, body), 403, "ek_fingerprint_mismatch", action)


@pytest.mark.parametrize("material", [b"\x30\x03\x02\x01\x01", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                                      b"\xff" * 800], ids=["der", "pem", "noise"])
def test_ek_material_that_is_none_is_refused(appliance, material):
    body = {"ek_cert_pem": b64(material), "ek_fingerprint": "00" * 48}
    refused(appliance, lambda: appliance.post(REGISTER, body), 422, "ek_unreadable", "self_register_refused")


def test_ek_public_area_of_another_tpm_is_refused(appliance, victim, thief):
    body = {"ek_cert_pem": victim.identity["ek_cert_pem"], "ek_pub": b64(thief.tpm.read("ek.pub")), "ak_pub": b64(victim.ak_pub)}
    refused(appliance, lambda: appliance.post(CHALLENGE, body), 403, "ek_material_mismatch", "challenge_refused")


def test_challenge_asked_by_a_stranger_changes_nothing_that_is_kept_of_the_ek(appliance, member, thief, workshop):
    """Else the next sealed configuration would be made for algorithms that the machine's EK does not have."""
    token = member.attest().json["config_token"]
    area = bytearray(member.tpm.read("ek.pub"))
    assert area[44:48] == bytes.fromhex("00060080")  # AES with 128 bits
    area[46:48] = (256).to_bytes(2, "big")
    forged = forged_certificate(member, workshop)
    answer = appliance.post(CHALLENGE, {"ek_cert_pem": b64(forged), "ek_pub": b64(area), "ak_pub": b64(thief.ak_pub)})
    assert answer.status == 200, answer  # it costs nothing to ask
    sealed = appliance.get("/api/v1/config/" + token)
    assert sealed.status == 200 and len(member.try_activate(sealed.json) or b"") == 32


# -- a software AK ----------------------------------------------------------------------------------------------------


def test_software_ak_is_never_activated(victim, workshop):
    """Even the owner of a genuine, approved TPM can't have it vouch for a key in a file."""
    forged = workshop.software_ak()
    assert victim.challenge(ak_pub=b64(forged)).status == 200
    assert victim.try_activate(victim.session) is None  # with the AK that is in the TPM
    public = workshop.write("ak.pub", forged)
    victim.tpm.tool("tpm2_loadexternal", "-C", "n", "-u", public, "-c", victim.tpm.path("software.ctx"))
    victim.flush()
    assert victim.try_activate(victim.session, "software.ctx") is None  # with the forged one, loaded as a public area

    quote, _ = victim.quote(nonce_of(victim))
    body = dict(victim.identity, session_id=victim.session["session_id"], activated_secret=b64(secrets.token_bytes(32)),
                ak_pub=b64(forged), pcr_quote=b64(quote), pcr_signature=b64(workshop.sign(quote)))
    attest_refused(victim, body, 403, "challenge_response_invalid")


def test_quote_signed_in_software_under_an_activated_session_is_refused(victim, workshop):
    workshop.software_ak()
    body = session_body(victim)
    body["pcr_signature"] = b64(workshop.sign(base64.b64decode(body["pcr_quote"])))
    attest_refused(victim, body, 403, "quote_signature_invalid")


def test_software_ak_slipped_under_an_activated_session_is_refused(victim, workshop):
    forged = workshop.software_ak()
    body = session_body(victim, ak_pub=b64(forged))
    body["pcr_signature"] = b64(workshop.sign(base64.b64decode(body["pcr_quote"])))
    attest_refused(victim, body, 403, "ak_mismatch")


# -- an AK that is none -----------------------------------------------------------------------------------------------


def challenge_refused(evidence, ak_pub, status, reason):
    row = refused(evidence.appliance, lambda: evidence.challenge(ak_pub=b64(ak_pub)), status, reason, "challenge_refused")
    assert json.loads(row["detail"]) == {"ek_fingerprint": evidence.identity["ek_fingerprint"]}


@pytest.mark.parametrize("attribute", sorted(ATTRIBUTES))
def test_ak_with_one_wrong_attribute_is_refused(victim, attribute):
    challenge_refused(victim, with_attributes(victim.ak_pub, attribute), 403, "ak_attributes")


@pytest.mark.parametrize("attributes", ["fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign",
                                        "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign|decrypt"])
def test_genuine_key_of_the_tpm_that_signs_anything_is_refused(victim, attributes):
    tool, path = victim.tpm.tool, victim.tpm.path
    victim.flush()
    tool("tpm2_createprimary", "-C", "o", "-c", path("srk.ctx"))
    victim.flush()
    scheme = "ecc256:null:null" if "decrypt" in attributes else "ecc256:ecdsa-sha256:null"
    tool("tpm2_create", "-C", path("srk.ctx"), "-G", scheme, "-u", path("free.pub"), "-r", path("free.priv"), "-a", attributes)
    victim.flush()
    challenge_refused(victim, victim.tpm.read("free.pub"), 403, "ak_attributes")


def test_ak_with_sha1_is_refused(victim):
    victim.flush()
    victim.tpm.tool("tpm2_createak", "-C", victim.tpm.path("ek.ctx"), "-c", victim.tpm.path("weak.ctx"), "-G", "ecc", "-g", "sha1",
                    "-s", "ecdsa", "-u", victim.tpm.path("weak.pub"), "-n", victim.tpm.path("weak.name"))
    victim.flush()
    challenge_refused(victim, victim.tpm.read("weak.pub"), 403, "ak_algorithm")


def test_ak_that_is_cut_off_padded_or_noise_is_refused(victim):
    for altered in (victim.ak_pub[:-1], victim.ak_pub + b"\0", victim.ak_pub[2:], b"\0\0", secrets.token_bytes(90)):
        challenge_refused(victim, altered, 422, "ak_unreadable")


def test_ak_off_its_curve_is_refused(victim):
    challenge_refused(victim, flip(victim.ak_pub, 8 * len(victim.ak_pub) - 8), 403, "ak_algorithm")


# -- nonces and sessions ----------------------------------------------------------------------------------------------


def test_quote_over_an_old_nonce_is_refused(victim):
    assert victim.challenge().status == 200
    quote, signature = victim.quote(nonce_of(victim))
    assert victim.challenge().status == 200
    attest_refused(victim, victim.body(pcr_quote=b64(quote), pcr_signature=b64(signature)), 403, "quote_nonce_mismatch")


def test_quote_over_an_old_nonce_of_an_attested_machine_is_refused(member):
    old = member.nonce_body()
    new = member.nonce_body()
    mixed = dict(new, pcr_quote=old["pcr_quote"], pcr_signature=old["pcr_signature"])
    attest_refused(member, mixed, 403, "quote_nonce_mismatch")


def test_used_nonce_is_refused(member):
    body = member.nonce_body()
    assert member.post(body).status == 200
    attest_refused(member, body, 409, "nonce_used")


def test_nonce_is_used_up_by_a_refused_attempt_as_well(member):
    body = member.nonce_body()
    attest_refused(member, dict(body, pcr_signature=b64(flip(base64.b64decode(body["pcr_signature"]), 200))), 403,
                   "quote_signature_invalid")
    attest_refused(member, body, 409, "nonce_used")


def test_unknown_or_missing_nonce_is_refused(member):
    attest_refused(member, member.nonce_body(nonce_id="00" * 16), 422, "nonce_unknown")
    attest_refused(member, member.nonce_body(nonce_id=None), 422, "nonce_missing")


def test_nonce_of_a_session_can_not_be_used_without_the_session(member):
    assert member.challenge().status == 200
    quote, signature = member.quote(nonce_of(member))
    body = dict(member.identity, nonce_id=member.session["nonce_id"], pcr_quote=b64(quote), pcr_signature=b64(signature))
    attest_refused(member, body, 422, "nonce_unknown")


def test_session_with_another_nonce_is_refused(member):
    other = member.appliance.get(CHALLENGE).json
    attest_refused(member, session_body(member, nonce_id=other["nonce_id"]), 422, "nonce_unknown")


def test_another_machines_session_is_refused(victim, thief):
    stolen = session_body(thief)
    attest_refused(victim, dict(stolen, **victim.identity), 403, "session_unknown")


def test_session_used_twice_is_refused(member):
    body = session_body(member)
    assert member.post(body).status == 200
    attest_refused(member, body, 403, "session_used")


def test_session_is_used_up_by_a_wrong_secret(victim):
    body = session_body(victim)
    attest_refused(victim, dict(body, activated_secret=b64(bytes(32))), 403, "challenge_response_invalid")
    attest_refused(victim, body, 403, "session_used")


def test_session_that_a_newer_one_replaced_is_refused(victim):
    body = session_body(victim)
    assert victim.challenge().status == 200
    attest_refused(victim, body, 403, "session_unknown")


def test_session_of_ones_own_invention_is_refused(victim):
    attest_refused(victim, session_body(victim, session_id="ff" * 16), 403, "session_unknown")


def test_secret_without_its_session_is_refused(victim):
    attest_refused(victim, session_body(victim, session_id=None), 403, "session_unknown")


def test_nonce_and_session_end_with_their_time():
    with Appliance({"attestation": {"nonce_ttl_seconds": 10, "session_ttl_seconds": 30}}) as appliance:
        for evidence in evidence_of(appliance):
            assert evidence.attest().status == 200
            by_session = session_body(evidence)
            by_nonce = evidence.nonce_body()
            time.sleep(10.2)
            attest_refused(evidence, by_nonce, 410, "nonce_expired")
            time.sleep(20.2)
            attest_refused(evidence, by_session, 403, "session_unknown")
            assert evidence.attest().status == 200


# -- quotes -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("selection", ["sha256:0,2,4", "sha256:0,2,4,7,8", "sha256:0,1,2,4,7", "sha256:16,23", "sha384:0,2,4,7",
                                       "sha256:0,2,4,7+sha384:0", "sha256:none"])
def test_quote_of_other_pcrs_is_refused(member, selection):
    attest_refused(member, member.nonce_body(selection), 403, "quote_selection_mismatch")


@pytest.mark.parametrize("part, form, reasons", [
    ("pcr_quote", "tss", {"quote_unreadable", "quote_signature_invalid"}),
    ("pcr_signature", "tss", {"quote_signature_unreadable", "quote_hash_refused", "quote_signature_invalid"}),
    ("pcr_signature", "plain", {"quote_signature_unreadable", "quote_signature_invalid"})])
def test_one_altered_bit_is_refused_wherever_it_is(appliance, member, part, form, reasons):
    rows, machines, said = len(appliance.audit()), snapshot(appliance), []
    bits = spread(base64.b64decode(member.nonce_body(form=form)[part])[:64], 24)
    bits += [bit for bit in range(8 * 40, 8 * 72, 13)]
    for bit in bits:
        body = member.nonce_body(form=form)
        whole = base64.b64decode(body[part])
        answer = member.post(dict(body, **{part: b64(flip(whole, bit % (8 * len(whole))))}))
        head = part == "pcr_quote" and bit < 48
        wanted = {"quote_magic" if bit < 32 else "quote_type"} if head else reasons
        assert answer.status in (403, 422) and answer.reason in wanted, (bit, answer)
        said.append(answer.reason)
    assert len(said) >= 40
    assert [row["reason"] for row in appliance.audit()[rows:]] == said
    assert snapshot(appliance) == machines
    assert member.post(member.nonce_body(form=form)).status == 200  # unaltered it is accepted


def test_quote_signed_by_another_ak_of_the_same_tpm_is_refused(member):
    kept = member.tpm.read("ak.ctx")
    body = Evidence(member.node).nonce_body()  # with an AK that was never activated
    with open(member.tpm.path("ak.ctx"), "wb") as out:
        out.write(kept)
    attest_refused(member, body, 403, "quote_signature_invalid")
    assert member.post(member.nonce_body()).status == 200


def test_quote_signed_by_another_tpms_ak_is_refused(member, thief):
    fresh = member.appliance.get(CHALLENGE).json
    quote, signature = thief.quote(base64.b64decode(fresh["nonce"]))
    body = dict(member.identity, nonce_id=fresh["nonce_id"], pcr_quote=b64(quote), pcr_signature=b64(signature))
    attest_refused(member, body, 403, "quote_signature_invalid")


def test_pcr_values_that_do_not_hash_to_the_quote_are_refused(member):
    honest = member.pcr_values()
    wrong = {"sha256": dict(honest["sha256"], **{"7": "11" * 32})}
    fewer = {"sha256": {k: v for k, v in honest["sha256"].items() if k != "7"}}
    more = {"sha256": dict(honest["sha256"], **{"8": "00" * 32})}
    other_bank = {"sha384": {k: "00" * 48 for k in honest["sha256"]}}
    for values in (wrong, fewer, more, other_bank):
        attest_refused(member, member.nonce_body(pcr_values=values), 403, "quote_pcr_digest_mismatch")
    assert member.post(member.nonce_body(pcr_values=honest)).status == 200


@pytest.mark.parametrize("alter, status, reason", [
    (lambda q: b"", 403, "quote_missing"),
    (lambda q: sized(q)[:-1], 403, "quote_magic"),
    (lambda q: sized(q) + b"\0", 403, "quote_magic"),
    (lambda q: (len(q) + 1).to_bytes(2, "big") + q, 403, "quote_magic"),
    (lambda q: q[:-1], 422, "quote_unreadable"),
    (lambda q: q + b"\0", 422, "quote_unreadable"),
    (lambda q: q[:20], 422, "quote_unreadable"),
    (lambda q: b"\xff\x54\x43\x48" + q[4:], 403, "quote_magic"),
    (lambda q: q[:4] + b"\x80\x17" + q[6:], 403, "quote_type"),
    (lambda q: b"\xff", 422, "quote_unreadable"),
], ids=["empty", "2B cut", "2B padded", "2B size", "cut", "padded", "head only", "magic", "type", "one byte"])
def test_quote_of_wrong_shape_is_refused(member, alter, status, reason):
    body = member.nonce_body()
    attest_refused(member, dict(body, pcr_quote=b64(alter(base64.b64decode(body["pcr_quote"])))), status, reason)


@pytest.mark.parametrize("alter, status, reason", [
    (lambda s: b"", 403, "quote_missing"),
    (lambda s: s[:-1], 422, "quote_signature_unreadable"),
    (lambda s: s + b"\0", 422, "quote_signature_unreadable"),
    (lambda s: s[:2] + b"\x00\x04" + s[4:], 403, "quote_hash_refused"),
    (lambda s: s[:2] + b"\x00\x0c" + s[4:], 403, "quote_signature_invalid"),
    (lambda s: s[:4] + sized(bytes(32)) + sized(bytes(32)), 403, "quote_signature_invalid"),
], ids=["empty", "cut", "padded", "sha1", "sha384", "zeros"])
def test_signature_of_wrong_shape_is_refused(member, alter, status, reason):
    body = member.nonce_body()
    attest_refused(member, dict(body, pcr_signature=b64(alter(base64.b64decode(body["pcr_signature"])))), status, reason)


def test_what_else_the_ak_signs_is_no_quote(member):
    """TPM2_GetTime is signed by the same AK over the same nonce, and begins with the same magic."""
    path = member.tpm.path
    fresh = member.appliance.get(CHALLENGE).json
    member.flush()
    member.tpm.tool("tpm2_gettime", "-c", path("ak.ctx"), "-q", base64.b64decode(fresh["nonce"]).hex(), "-o", path("signature"),
                    "--attestation", path("time"), "-g", "sha256")
    member.flush()
    body = dict(member.identity, nonce_id=fresh["nonce_id"], pcr_quote=b64(member.tpm.read("time")),
                pcr_signature=b64(member.tpm.read("signature")))
    attest_refused(member, body, 403, "quote_type")


def test_possession_without_a_quote_is_refused(victim):
    attest_refused(victim, session_body(victim, pcr_quote=None, pcr_signature=None), 403, "quote_missing")
    attest_refused(victim, session_body(victim, pcr_signature=None), 403, "quote_missing")


# -- what the front refuses by itself ---------------------------------------------------------------------------------


def request_refused(appliance, path, body, status, reason, **options):
    row = refused(appliance, lambda: appliance.post(path, body, **options), status, reason, "request_refused", "front")
    assert json.loads(row["detail"]) == {"endpoint": "POST " + path}


@pytest.mark.parametrize("path, limit", [(REGISTER, 64 << 10), (CHALLENGE, 64 << 10), (ATTEST, 2 << 20)])
def test_body_over_the_limit_is_refused(appliance, path, limit):
    body = json.dumps({"ek_fingerprint": "00" * 48, "filler": ""})
    request_refused(appliance, path, body[:-2] + "x" * (limit + 1 - len(body)) + body[-2:], 413, "body_too_large")


def test_body_at_the_limit_is_read(appliance):
    body = json.dumps({"filler": ""})
    request_refused(appliance, REGISTER, body[:-2] + "x" * ((64 << 10) - len(body)) + body[-2:], 422, "field_missing")


@pytest.mark.parametrize("text, reason", [
    ("[" * 17 + "]" * 17, "json_too_deep"),
    ('{"a":' * 17 + "1" + "}" * 17, "json_too_deep"),
    ("[" * 60000, "json_too_deep"),
    ('{"ek_fingerprint":"00","ek_fingerprint":"01"}', "json_invalid"),
    ('{"a":{"b":1,"b":1}}', "json_invalid"),
    ('{"ek_fingerprint":"00"', "json_invalid"),
    ('{"ek_fingerprint":"00"} {}', "json_invalid"),
    ('{"a":NaN}', "json_invalid"),
    ('{"a":"\\ud800"}', "json_invalid"),
    (b'{"a":"\xff"}', "json_invalid"),
    ("", "json_invalid"),
    ("[]", "field_invalid"),
    ('{"ek_fingerprint":7}', "field_invalid"),
    ('{"ek_fingerprint":"xy"}', "field_invalid"),
    ("{}", "field_missing"),
    ('{"ek_fingerprint":"' + "00" * 48 + '"}', "ek_missing"),
], ids=["arrays", "objects", "60000 deep", "twice", "twice inside", "cut", "two", "NaN", "surrogate", "UTF-8", "empty",
        "array", "number", "not hex", "nothing", "no EK"])
@pytest.mark.parametrize("path", [REGISTER, ATTEST])
def test_body_that_is_no_request_is_refused(appliance, path, text, reason):
    request_refused(appliance, path, text, 422, reason)


@pytest.mark.parametrize("field", ["ek_cert_pem", "activated_secret", "ak_pub", "pcr_quote", "pcr_signature", "event_log"])
def test_truncated_base64_is_refused(victim, field):
    honest = {"event_log": b64(b"12345")}
    body = dict(session_body(victim), **honest)
    text = body[field].rstrip("=")
    cut = text[:len(text) - len(text) % 4 + 1] if len(text) % 4 else text[:-3]
    request_refused(victim.appliance, ATTEST, dict(body, **{field: cut}), 422, "base64_invalid")
    request_refused(victim.appliance, ATTEST, dict(body, **{field: "*" + text[1:]}), 422, "base64_invalid")


@pytest.mark.parametrize("field, value, reason", [
    ("session_id", "00" * 15, "field_invalid"), ("nonce_id", "zz" * 16, "field_invalid"),
    ("pcr_values", {"sha256": {"24": "00" * 32}}, "pcr_values_invalid"),
    ("pcr_values", {"sha256": {"0": "00" * 31}}, "pcr_values_invalid"),
    ("pcr_values", {"md5": {"0": "00" * 16}}, "pcr_values_invalid"),
    ("pcr_quote", b64(bytes(4096)), "too_long"), ("pcr_signature", b64(bytes(2048)), "too_long"),
    ("activated_secret", b64(bytes(65)), "too_long"), ("event_log", b64(bytes((512 << 10) + 1)), "too_long")])
def test_field_out_of_its_bounds_is_refused(victim, field, value, reason):
    request_refused(victim.appliance, ATTEST, dict(victim.identity, **{field: value}), 422, reason)


@pytest.mark.parametrize("media_type", ["text/plain", "application/x-www-form-urlencoded", "application/jsonp", ""])
def test_wrong_media_type_is_refused(victim, media_type):
    request_refused(victim.appliance, REGISTER, json.dumps(victim.identity), 415, "media_type_unsupported",
                    headers={"Content-Type": media_type})


def raw_answer(appliance, headers, body):
    """Of a request whose framing http.client would have made right."""
    connection = http.client.HTTPSConnection("localhost", appliance.port, context=appliance.context(), timeout=20)
    connection.putrequest("POST", ATTEST)
    for name, value in dict({"Content-Type": "application/json"}, **headers).items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    return Answer(answer.status, dict(answer.getheaders()), answer.read())


def test_body_without_a_length_is_refused(appliance):
    row = refused(appliance, lambda: raw_answer(appliance, {}, b""), 411, "length_required", "request_refused", "front")
    assert json.loads(row["detail"]) == {"endpoint": "POST " + ATTEST}


@pytest.mark.parametrize("headers, body, status, reason", [
    ({"Transfer-Encoding": "chunked"}, b"2\r\n{}\r\n0\r\n\r\n", 411, "length_required"),
    ({"Transfer-Encoding": "chunked", "Content-Length": "2"}, b"{}", 411, "length_required"),
    ({"Content-Length": "-2"}, b"{}", 400, "bad_request"), ({"Content-Length": "2x"}, b"{}", 400, "bad_request")],
    ids=["chunked", "both", "negative", "letters"])
def test_body_framed_in_two_ways_or_none_is_refused(appliance, headers, body, status, reason):
    """Before the front looks at what is asked, so they are in the log of requests only."""
    machines = snapshot(appliance)
    answer = raw_answer(appliance, headers, body)
    assert (answer.status, answer.reason) == (status, reason), answer
    assert snapshot(appliance) == machines


@pytest.mark.parametrize("method, path, status, reason", [
    ("GET", "/api/v1/nothing", 404, "not_found"), ("POST", "/api/v1/attest/", 404, "not_found"),
    ("GET", "/api/v1/machines/../attest", 404, "not_found"), ("GET", ATTEST, 405, "method_not_allowed"),
    ("PUT", ATTEST, 405, "method_not_allowed"), ("DELETE", REGISTER, 405, "method_not_allowed")])
def test_unknown_path_and_wrong_method_are_refused(appliance, method, path, status, reason):
    """They ask nothing of anybody, so they are in the log of requests only."""
    rows, machines = len(appliance.audit()), snapshot(appliance)
    answer = appliance.request(method, path)
    assert (answer.status, answer.reason) == (status, reason)
    assert (answer.headers.get("Allow") is not None) == (status == 405)
    wait_until(lambda: any(e["reason"] == reason and e["method"] == method for e in refused_requests(appliance)), 5, "its log line")
    assert len(appliance.audit()) == rows and snapshot(appliance) == machines


def refused_requests(appliance):
    return [event for event in appliance.events("http.request") if "reason" in event]


# -- a machine that waits ---------------------------------------------------------------------------------------------


def test_attesting_while_pending_says_so_and_nothing_else_however_often(appliance, node):
    assert node.register().status == 200
    machines = snapshot(appliance)
    evidence = Evidence(node)
    for _ in range(2):
        rows = len(appliance.audit())
        answer = evidence.attest()
        assert (answer.status, answer.json["status"]) == (200, "pending_approval"), answer
        assert (answer.json["action"], answer.json["reason"]) == ("none", "machine_pending_approval")
        assert answer.json["verdict"] == "not_evaluated" and answer.json["failures"] == []
        assert all(answer.json[name] is None for name in ("machine_id", "hostname", "role", "config_url", "config_token", "assurance"))
        row, = appliance.audit()[rows:]
        assert (row["action"], row["reason"]) == ("attest_refused", "machine_pending_approval")
        assert snapshot(appliance) == machines


def test_attesting_before_registering_only_registers(appliance, node):
    rows = len(appliance.audit())
    answer = appliance.post(ATTEST, node.identity())
    assert (answer.status, answer.json["status"], answer.json["config_token"]) == (200, "pending_approval", None)
    assert [row["action"] for row in appliance.audit()[rows:]] == ["self_register", "attest_refused"]


# -- floods -----------------------------------------------------------------------------------------------------------


def flood(appliance, path, body, times):
    """Statuses and reasons of many equal requests over one connection, and the seconds they took."""
    connection = http.client.HTTPSConnection("localhost", appliance.port, context=appliance.context(), timeout=20)
    data, said, began = json.dumps(body), [], time.monotonic()
    for _ in range(times):
        connection.request("POST", path, body=data, headers={"Content-Type": "application/json"})
        answer = connection.getresponse()
        said.append((answer.status, json.loads(answer.read())["reason"]))
        if answer.getheader("Connection") == "close":
            connection.close()
    connection.close()
    return said, time.monotonic() - began


def test_flood_of_untrusted_registrations_makes_no_machine_and_no_endless_log(workshop):
    fingerprint = hashlib.sha384(workshop.software_ek()).hexdigest()
    body = ek_fields(workshop.certificate("ek"), fingerprint)
    with Appliance() as appliance:
        appliance.break_glass()
        said, seconds = flood(appliance, REGISTER, body, 1500)
        assert set(said) == {(403, "ek_not_trusted")}
        assert appliance.machines() == []
        rows = [row for row in appliance.audit() if row["action"] in ("self_register_refused", "refusals_suppressed")]
        assert 490 <= len(rows) <= 500 + 10 * seconds + 2

        time.sleep(1)
        assert appliance.post(REGISTER, body).status == 403
        tail = appliance.audit()[-2:]
        assert [row["action"] for row in tail] == ["refusals_suppressed", "self_register_refused"]
        written = sum(row["action"] == "self_register_refused" for row in appliance.audit())
        counted = sum(json.loads(row["detail"])["count"] for row in appliance.audit() if row["action"] == "refusals_suppressed")
        assert written + counted == len(said) + 1


def test_what_a_stranger_can_use_up_is_bounded():
    changes = {"limits": {"sessions_max": 16, "pending_machines_max": 1}, "attestation": {"challenge_interval_ms": 60000}}
    with Appliance(changes) as appliance:
        appliance.break_glass()
        first, second = Node(appliance), Node(appliance)
        try:
            assert first.register().status == 200
            refused(appliance, second.register, 429, "machines_exhausted", "self_register_refused")
            evidence = Evidence(first)
            assert evidence.challenge().status == 200
            refused(appliance, evidence.challenge, 429, "challenge_too_soon", "challenge_refused")
            for _ in range(15):
                assert appliance.get(CHALLENGE).status == 200
            refused(appliance, lambda: appliance.get(CHALLENGE), 429, "sessions_exhausted", "nonce_new_refused")
            assert int(appliance.get(CHALLENGE).headers["Retry-After"]) > 0
        finally:
            first.remove()
            second.remove()
