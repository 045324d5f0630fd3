"""A node that lies about what its TPM said, or when. Each lie has its own reason and audit row, and changes nothing."""

import base64
import time

import pytest

from appliance import Appliance, Node
from forgery import flip, sized, spread
from hostile import CHALLENGE, Evidence, attest_refused, b64, nonce_of, session_body, snapshot


@pytest.fixture(scope="module")
def appliance(lasting_appliance):
    return lasting_appliance


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
        node = Node(appliance)
        try:
            node.admit()
            evidence = Evidence(node)
            assert evidence.attest().status == 200
            by_session = session_body(evidence)
            by_nonce = evidence.nonce_body()
            time.sleep(10.2)
            attest_refused(evidence, by_nonce, 410, "nonce_expired")
            time.sleep(20.2)
            attest_refused(evidence, by_session, 403, "session_unknown")
            assert evidence.attest().status == 200
        finally:
            node.remove()


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
