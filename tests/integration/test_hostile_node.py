"""A node that lies about who it is. Each lie has its own reason, leaves its audit row, and changes and obtains nothing."""

import base64
import hashlib
import json
import os
import secrets

import pytest

from appliance import VendorCa
from forgery import ATTRIBUTES, ek_fields, flip, with_attributes
from hostile import ATTEST, CHALLENGE, REGISTER, Evidence, attest_refused, b64, nonce_of, refused, session_body, snapshot


@pytest.fixture(scope="module")
def appliance(lasting_appliance):
    return lasting_appliance


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
    body = {"ek_cert_pem": victim.identity["ek_cert_pem"], "ek_pub": b64(thief.tpm.read("ek.pub")),
            "ak_pub": b64(victim.ak_pub)}
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
    path = victim.tpm.path
    victim.tpm.tool("tpm2_createak", "-C", path("ek.ctx"), "-c", path("weak.ctx"), "-G", "ecc", "-g", "sha1", "-s", "ecdsa",
                    "-u", path("weak.pub"), "-n", path("weak.name"))
    victim.flush()
    challenge_refused(victim, victim.tpm.read("weak.pub"), 403, "ak_algorithm")


def test_ak_that_is_cut_off_padded_or_noise_is_refused(victim):
    for altered in (victim.ak_pub[:-1], victim.ak_pub + b"\0", victim.ak_pub[2:], b"\0\0", secrets.token_bytes(90)):
        challenge_refused(victim, altered, 422, "ak_unreadable")


def test_ak_off_its_curve_is_refused(victim):
    challenge_refused(victim, flip(victim.ak_pub, 8 * len(victim.ak_pub) - 8), 403, "ak_algorithm")


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
        secret = ("machine_id", "hostname", "role", "config_url", "config_token", "assurance")
        assert all(answer.json[name] is None for name in secret)
        row, = appliance.audit()[rows:]
        assert (row["action"], row["reason"]) == ("attest_refused", "machine_pending_approval")
        assert snapshot(appliance) == machines


def test_attesting_before_registering_only_registers(appliance, node):
    rows = len(appliance.audit())
    answer = appliance.post(ATTEST, node.identity())
    assert (answer.status, answer.json["status"], answer.json["config_token"]) == (200, "pending_approval", None)
    assert [row["action"] for row in appliance.audit()[rows:]] == ["self_register", "attest_refused"]
