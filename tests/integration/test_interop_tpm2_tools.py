"""Nodes that have nothing of ours: every TPM structure here is made, and every credential opened, by tpm2-tools."""

import base64
import os
import subprocess

import pytest

from appliance import CLUSTER_SECRET, TOOLS, Node
from hostile import Evidence, b64


@pytest.fixture(scope="module")
def appliance(lasting_appliance):
    return lasting_appliance


@pytest.fixture
def registered(appliance, node):
    """Evidence of an approved machine."""
    def make(ak="p256", ek="rsa2048"):
        node.admit(ek)
        return Evidence(node, ak, ek)
    return make


def assert_attested(answer, ak):
    assert answer.status == 200, answer
    assert (answer.json["status"], answer.json["verdict"], answer.json["action"]) == ("attested", "pass", "apply-config")
    assert answer.json["reason"] is None and answer.json["config_token"]
    assert answer.json["assurance"] == "tpm-certificate/" + ak


@pytest.mark.parametrize("ek", ["rsa2048", "p384"])
@pytest.mark.parametrize("ak, shown", [("rsa2048", "RSA-2048"), ("rsa2048-pss", "RSA-2048"), ("p256", "P-256"),
                                       ("p384", "P-384")])
def test_every_kind_of_key_is_activated_and_its_quote_accepted(registered, ek, ak, shown):
    assert_attested(registered(ak, ek).attest(), shown)


@pytest.mark.parametrize("ak, shown", [("rsa2048", "RSA-2048"), ("rsa2048-pss", "RSA-2048"), ("p256", "P-256"),
                                       ("p384", "P-384")])
def test_quote_is_taken_in_both_forms_and_its_signature_in_both_forms(registered, ak, shown):
    evidence = registered(ak)
    assert_attested(evidence.attest(), shown)
    for form in ("tss", "plain"):
        body = evidence.nonce_body(form=form)
        assert_attested(evidence.post(body), shown)
        body = evidence.nonce_body(form=form)
        attest = base64.b64decode(body["pcr_quote"])
        body["pcr_quote"] = b64(len(attest).to_bytes(2, "big") + attest)  # TPM2B_ATTEST
        assert_attested(evidence.post(body), shown)


def test_plain_signatures_are_what_they_are_called(registered):
    ecc = registered("p256")
    assert ecc.quote(bytes(32), form="plain")[1][0] == 0x30  # DER SEQUENCE
    assert ecc.quote(bytes(32))[1][:4] == bytes.fromhex("0018000b")  # TPM_ALG_ECDSA, TPM_ALG_SHA256


def test_later_attestation_needs_a_nonce_and_no_activation(registered):
    evidence = registered()
    assert_attested(evidence.attest(), "P-256")
    body = evidence.nonce_body()
    assert not {"session_id", "activated_secret", "ak_pub"} & set(body)
    assert_attested(evidence.post(body), "P-256")


def test_later_attestation_by_session_needs_no_activation_either(registered):
    evidence = registered()
    assert_attested(evidence.attest(), "P-256")
    assert evidence.challenge().status == 200
    nonce = base64.b64decode(evidence.session["nonce"])
    quote, signature = evidence.quote(nonce)
    body = dict(evidence.identity, session_id=evidence.session["session_id"], pcr_quote=b64(quote), pcr_signature=b64(signature))
    assert_attested(evidence.post(body), "P-256")


def test_new_attestation_key_takes_the_place_of_the_old_one(registered):
    evidence = registered("p256")
    assert_attested(evidence.attest(), "P-256")
    newer = Evidence(evidence.node, "p384")
    assert_attested(newer.attest(), "P-384")
    assert_attested(newer.post(newer.nonce_body()), "P-384")


def test_attestation_key_may_live_under_the_storage_hierarchy(registered):
    evidence = registered()
    tool, path = evidence.tpm.tool, evidence.tpm.path
    tool("tpm2_createprimary", "-C", "o", "-c", path("srk.ctx"))
    evidence.flush()
    tool("tpm2_create", "-C", path("srk.ctx"), "-G", "ecc256:ecdsa-sha256:null", "-u", path("ak.pub"), "-r", path("ak.priv"),
         "-c", path("ak.ctx"), "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|restricted|sign")
    evidence.flush()
    evidence.ak_pub = evidence.tpm.read("ak.pub")
    assert_attested(evidence.attest(), "P-256")


def test_pcr_values_that_hash_to_the_quote_are_accepted(registered):
    evidence = registered()
    values = evidence.pcr_values()
    assert_attested(evidence.attest(pcr_values=values), "P-256")
    flat = {f"sha256:{pcr}": digest for pcr, digest in values["sha256"].items()}
    assert_attested(evidence.attest(pcr_values=flat), "P-256")


def test_endorsement_key_is_taken_as_der_pem_and_with_its_public_area(registered):
    evidence = registered()
    der = base64.b64decode(evidence.identity["ek_cert_pem"])
    lines = base64.encodebytes(der).decode()
    pem = "-----BEGIN CERTIFICATE-----\n" + lines + "-----END CERTIFICATE-----\n"
    for sent in (b64(der), b64(pem.encode())):
        assert evidence.challenge(ek_cert_pem=sent).status == 200
        assert_attested(evidence.post(evidence.body(ek_cert_pem=sent)), "P-256")
    assert evidence.challenge(ek_pub=b64(evidence.tpm.read("ek.pub"))).status == 200
    assert_attested(evidence.post(evidence.body()), "P-256")


@pytest.mark.parametrize("ek", ["rsa2048", "p384"])
def test_sealed_configuration_opens_with_tpm2_tools_alone(appliance, registered, ek):
    evidence = registered("p384", ek)
    attested = evidence.attest()
    assert_attested(attested, "P-384")
    sealed = appliance.get("/api/v1/config/" + attested.json["config_token"])
    assert sealed.status == 200, sealed
    key = evidence.try_activate(sealed.json)
    assert key is not None and len(key) == 32
    opened = open_gcm(key, sealed.json)
    assert opened.returncode == 0 and CLUSTER_SECRET in opened.stdout
    assert attested.json["machine_id"].encode() in opened.stdout

    other = dict(sealed.json, aad=b64(base64.b64decode(sealed.json["aad"]).replace(b'"version":1', b'"version":2')))
    refused = open_gcm(key, other)
    assert refused.returncode != 0 and refused.stdout == b""


def test_sealed_configuration_does_not_open_on_another_tpm(appliance, registered):
    evidence = registered()
    sealed = appliance.get("/api/v1/config/" + evidence.attest().json["config_token"]).json
    other = Node(appliance)
    try:
        assert Evidence(other).try_activate(sealed) is None
    finally:
        other.remove()


def open_gcm(key, sealed):
    parts = {name: base64.b64decode(sealed[name]).hex() for name in ("iv", "aad", "tag", "ciphertext")}
    return subprocess.run([os.path.join(TOOLS, "gcm_opener"), key.hex(), parts["iv"], parts["aad"], parts["tag"]],
                          input=parts["ciphertext"].encode(), capture_output=True, timeout=20)
