"""The front is taken over. What it can get from the real, sealed signer and keyholder: nothing.

The machines are registered and approved through the real front first; then the same appliance starts with hostile_front in
its place, and these tests speak raw messages through it.
"""

import base64
import hashlib
import json
import os
import socket
import struct
import subprocess

import pytest

import wire
from appliance import TOOLS, clean_environment, run, wait_until
from hostile import b64
from puppet import hostile, open_channel, prepared  # the first and the last are fixtures
from requester import Requester

CONTEXT = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"


def machine_rows(appliance):
    """The machines as the signer shows them to an operator, asked through the hostile front."""
    channel = open_channel(appliance, "api")
    reason, reply = channel.call("machine_list", **operator(appliance, "GET", "/api/v1/machines"))
    assert reason == "ok"
    channel.socket.close()
    return reply["machines"]


def operator(appliance, method, target, body=b""):
    token = json.load(open(appliance.credential))["token"]
    return {"source_ip": "127.0.0.1", "bearer": token, "method": method, "target": target, "body": body}


# -- malformed messages ------------------------------------------------------------------------------------------

READY = b"\0\0"


def header(number=wire.NUMBERS["ready"], status=0, sequence=1, length=2, protocol=wire.PROTOCOL):
    return wire.header(number, status, sequence, length, protocol)


MALFORMED = {
    "wrong_magic": header(protocol=wire.PROTOCOL ^ 1) + READY,
    "unknown_type": header(number=0x0fff) + READY,
    "type_of_another_channel": header(number=wire.NUMBERS["breakglass_open"]) + READY,
    "reply_instead_of_request": header(number=wire.NUMBERS["ready"] | wire.REPLY_BIT) + READY,
    "status_in_a_request": header(status=5) + READY,
    "sequence_ahead": header(sequence=7) + READY,
    "sequence_zero": header(sequence=0) + READY,
    "length_over_the_limit": header(length=48) + b"\0" * 48,
    "length_of_four_gigabytes": header(length=0xffffffff),
    "trailing_byte": header(length=3) + READY + b"\0",
    "body_too_short": header(length=1) + b"\0",
    "text_with_control_characters": header(length=5) + b"\0\3a\nb",
    "text_that_is_not_utf8": header(length=4) + b"\0\2\xff\xfe",
    "list_longer_than_allowed": None,
    "not_even_a_header": os.urandom(64),
}


@pytest.mark.parametrize("case", MALFORMED)
def test_malformed_message_kills_the_channel_and_not_the_signer(hostile, case):
    expect_violation(hostile, "api", malformed(case))


def malformed(case):
    if case != "list_longer_than_allowed":
        return MALFORMED[case]
    values = [{"bank": 11, "index": 0, "digest": b"\0" * 32}] * 97
    return wire.frame("attest", {"pcr_values": values}, 1)


@pytest.mark.parametrize("case", ["wrong_magic", "unknown_type", "sequence_ahead", "length_of_four_gigabytes"])
def test_malformed_message_kills_the_channel_and_not_the_keyholder(hostile, case):
    data = MALFORMED[case]
    expect_violation(hostile, "tls", data)


def test_type_of_the_signer_is_a_violation_for_the_keyholder(hostile):
    expect_violation(hostile, "tls", wire.frame("nonce_new", {"source_ip": "1.2.3.4"}, 1))


def test_attached_descriptor_kills_the_channel_and_is_not_taken(hostile):
    expect_violation(hostile, "api-with-descriptor", b"")


def test_malformed_word_to_the_supervisor_ends_the_front_only(hostile):
    before = hostile.children()
    channel = open_channel(hostile, "control")
    channel.send(os.urandom(64))
    after = front_replaced(hostile, before)
    assert {n: after[n] for n in ("signer", "keyholder", "courier")} == {n: before[n] for n in ("signer", "keyholder", "courier")}


def test_accusing_the_signer_ends_the_accuser(hostile):
    before = hostile.children()
    channel = open_channel(hostile, "control")
    body = bytes([1]) + struct.pack(">H", 6)
    channel.send(wire.header(wire.NUMBERS["violation"], 0, 1, len(body)) + body)
    after = front_replaced(hostile, before)
    assert after["signer"] == before["signer"]


def front_replaced(appliance, before):
    def replaced():
        now = appliance.children()
        complete = now.keys() == before.keys()  # a child that was forked has the supervisor's name at first
        return now if complete and now["front"] != before["front"] else None

    return wait_until(replaced, 20, "the supervisor to replace the front")


def expect_violation(appliance, which, data):
    before, noted = appliance.children(), len(appliance.events("channel.violation"))
    channel = open_channel(appliance, which)
    channel.send(data)
    with pytest.raises((EOFError, ConnectionError, AssertionError)):
        channel.receive()
    after = front_replaced(appliance, before)
    for survivor in ("signer", "keyholder", "courier"):
        assert after[survivor] == before[survivor], f"{survivor} died"
    assert len(appliance.events("channel.violation")) == noted + 1
    appliance.wait_ready()
    rows = [row for row in appliance.audit() if row["action"] == "channel_violation"]
    assert "by front" in rows[-1]["detail"]


# -- what is close to allowed --------------------------------------------------------------------------------------

def test_close_in_the_middle_of_a_call_leaves_nothing_behind(hostile):
    before = hostile.children()
    channel = open_channel(hostile, "api")
    channel.send(wire.frame("nonce_new", {"source_ip": "127.0.0.1"}, 1)[:20])
    os.kill(before["front"], 9)
    front_replaced(hostile, before)
    hostile.wait_ready()
    hostile.channels = []
    reason, reply = open_channel(hostile, "api").call("nonce_new", source_ip="127.0.0.1")
    assert reason == "ok" and len(reply["nonce"]) == 32


def test_unread_replies_meet_a_bound_and_the_signer_lives(hostile):
    before = hostile.children()
    connection = socket.create_connection(("127.0.0.1", hostile.port), timeout=10)
    connection.sendall(b"api\n")
    wanted = wire.frame("machine_list", operator(hostile, "GET", "/api/v1/machines"), 1)
    sequence = 0
    try:
        for _ in range(4000):  # 4,000 lists of three machines, none of them read
            sequence += 1
            connection.sendall(wire.frame("config_pending", {"source_ip": "127.0.0.1", "mac": ""}, sequence))
    except OSError:
        pass
    assert len(wanted) < 4096
    connection.close()
    wait_until(lambda: hostile.children().get("signer") == before["signer"], 5, "the signer")
    if hostile.children().get("front") != before["front"]:
        front_replaced(hostile, before)
    restart_front(hostile)
    reason, _ = open_channel(hostile, "api").call("ready", source_ip="127.0.0.1")
    assert reason == "ok" and hostile.children()["signer"] == before["signer"]


def restart_front(appliance):
    before = appliance.children()
    if "front" in before:
        os.kill(before["front"], 9)
        front_replaced(appliance, before)
    appliance.wait_ready()
    appliance.channels = []


# -- forged approvals ------------------------------------------------------------------------------------------------

def approve_call(appliance, machine_id, body, headers, method="POST", target=None):
    channel = open_channel(appliance, "api")
    values = operator(appliance, method, target or f"/api/v1/machines/{machine_id}/approve", body)
    values.update(machine_id=machine_id, **headers)
    reason, _ = channel.call("machine_approve", **values)
    channel.socket.close()
    return reason


def sign(appliance, machine_id, body):
    """What the operator's own command would send, by its own code."""
    out = run(os.path.join(TOOLS, "sign_request"), appliance.credential, "POST",
              f"/api/v1/machines/{machine_id}/approve", body.decode()).stdout.splitlines()
    return {"content_digest": out[0], "signature_input": out[1], "signature": out[2]}


def approval_of(appliance, node):
    row = next(m for m in machine_rows(appliance) if m["machine_id"].decode() == node.machine)
    body = {"role": "worker-app", "hostname": "forged", "assigned_ip": None, "cluster_id": None,
            "ek_fingerprint": row["ek_fingerprint"].decode(), "accept_unverified_ek": False}
    return json.dumps(body).encode()


def test_stolen_bearer_token_does_not_approve(hostile):
    body = approval_of(hostile, hostile.pending)
    assert approve_call(hostile, hostile.pending.machine, body, {}) == "request_signature_missing"
    assert_pending(hostile)


def test_signature_over_another_body_does_not_approve(hostile):
    body = approval_of(hostile, hostile.pending)
    headers = sign(hostile, hostile.pending.machine, body)
    assert approve_call(hostile, hostile.pending.machine, body.replace(b"forged", b"f0rged"), headers) \
        == "request_signature_invalid"
    assert_pending(hostile)


def test_signature_for_another_machine_does_not_approve_this_one(hostile):
    other = hostile.nodes[0].machine
    body = approval_of(hostile, hostile.pending)
    headers = sign(hostile, other, body)
    assert approve_call(hostile, hostile.pending.machine, body, headers) == "request_signature_invalid"
    assert approve_call(hostile, hostile.pending.machine, body, headers,
                        target=f"/api/v1/machines/{other}/approve") == "request_signature_invalid"
    assert_pending(hostile)


def test_operator_who_saw_another_machine_does_not_approve_this_one(hostile):
    shown = approval_of(hostile, hostile.nodes[0])  # the front showed him another machine's fingerprint
    headers = sign(hostile, hostile.pending.machine, shown)
    assert approve_call(hostile, hostile.pending.machine, shown, headers) == "machine_changed"
    assert_pending(hostile)


def test_own_key_in_place_of_the_operators_does_not_approve(hostile, tmp_path):
    credential = json.load(open(hostile.credential))
    credential["key_pem"] = run("openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384").stdout
    forged = tmp_path / "forged.json"
    forged.write_text(json.dumps(credential))
    forged.chmod(0o600)
    body = approval_of(hostile, hostile.pending)
    out = run(os.path.join(TOOLS, "sign_request"), str(forged), "POST",
              f"/api/v1/machines/{hostile.pending.machine}/approve", body.decode()).stdout.splitlines()
    headers = {"content_digest": out[0], "signature_input": out[1], "signature": out[2]}
    assert approve_call(hostile, hostile.pending.machine, body, headers) == "request_signature_invalid"
    assert_pending(hostile)


WEAK_POLICY = "name: weak\nversion: 1\nmode: telemetry\n"


def policy_call(appliance, message, path, body, headers, **values):
    channel = open_channel(appliance, "api")
    values.update(operator(appliance, "POST", path, body), **headers)
    reason, reply = channel.call(message, **values)
    channel.socket.close()
    return reason, reply


def sign_policy(appliance, path, body):
    out = run(os.path.join(TOOLS, "sign_request"), appliance.credential, "POST", path, body.decode()).stdout.splitlines()
    return {"content_digest": out[0], "signature_input": out[1], "signature": out[2]}


def test_stolen_bearer_token_neither_pushes_nor_activates_a_policy(hostile):
    body = json.dumps({"policy": WEAK_POLICY}).encode()
    assert policy_call(hostile, "policy_push", "/api/v1/policies", body, {})[0] == "request_signature_missing"
    assert policy_call(hostile, "policy_activate", "/api/v1/policies/1/activate", b"{}", {}, number=1)[0] == "request_signature_missing"


def test_signed_activation_activates_no_other_policy(hostile):
    """The operator signs for what the front shows him; the signer compares it with what the database holds."""
    path = "/api/v1/policies"
    numbers = {}
    for name in ("shown", "swapped"):
        body = json.dumps({"policy": f"name: {name}\nversion: 1\n"}).encode()
        reason, reply = policy_call(hostile, "policy_push", path, body, sign_policy(hostile, path, body))
        assert reason == "ok", reply
        numbers[name] = (reply["policy"][0]["number"], reply["policy"][0]["sha384"].hex())
    shown, swapped = numbers["shown"], numbers["swapped"]
    path = f"/api/v1/policies/{shown[0]}/activate"
    body = json.dumps({"sha384": shown[1]}).encode()
    headers = sign_policy(hostile, path, body)
    assert policy_call(hostile, "policy_activate", path, body, headers, number=swapped[0])[0] == "request_signature_invalid"
    body = json.dumps({"sha384": swapped[1]}).encode()
    assert policy_call(hostile, "policy_activate", path, body, sign_policy(hostile, path, body), number=shown[0])[0] == "policy_changed"
    body = b"{}"
    assert policy_call(hostile, "policy_activate", path, body, sign_policy(hostile, path, body), number=shown[0])[0] == "field_missing"


def test_signed_approval_counts_once(hostile):
    node = hostile.nodes[0]
    body = approval_of(hostile, node).replace(b"forged", b"node-1")
    headers = sign(hostile, node.machine, body)
    assert approve_call(hostile, node.machine, body, headers) == "ok"
    assert approve_call(hostile, node.machine, body, headers) == "request_signature_replayed"


def assert_pending(appliance):
    row = next(m for m in machine_rows(appliance) if m["machine_id"].decode() == appliance.pending.machine)
    assert row["status"] == 1


# -- other acts ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("message, method, verb", [("machine_unlock", "POST", "/unlock"), ("machine_delete", "DELETE", ""),
                                                   ("machine_wipe_ack", "POST", "/wipe-ack")])
def test_stolen_bearer_token_gives_nothing_back(hostile, message, method, verb):
    target = f"/api/v1/machines/{hostile.pending.machine}{verb}"
    channel = open_channel(hostile, "api")
    reason, _ = channel.call(message, **operator(hostile, method, target), machine_id=hostile.pending.machine)
    assert reason == "request_signature_missing"
    assert_pending(hostile)


def test_approval_is_no_signature_for_another_act(hostile):
    body = approval_of(hostile, hostile.pending)
    headers = sign(hostile, hostile.pending.machine, body)
    channel = open_channel(hostile, "api")
    for message, method, verb in (("machine_unlock", "POST", "/unlock"), ("machine_delete", "DELETE", "")):
        fields = operator(hostile, method, f"/api/v1/machines/{hostile.pending.machine}{verb}", body)
        assert channel.call(message, **fields, **headers, machine_id=hostile.pending.machine)[0] == "request_signature_invalid"
    assert_pending(hostile)


# -- certificates ----------------------------------------------------------------------------------------------------------


def certificate_call(hostile, evidence, machine, csr, sent):
    """A node's honest proof for `csr`, with which the front asks for `sent`."""
    channel = open_channel(hostile, "api")
    session = challenge(channel, evidence.node, evidence)
    quote, signature = evidence.quote(hashlib.sha256(session["nonce"] + csr).digest())
    return channel.call("request_cert", source_ip="127.0.0.1", machine_id=machine, session_id=session["session_id"],
                        activated_secret=evidence.activate(), quote=quote, signature=signature, csr=sent)


def test_front_can_not_put_its_own_key_into_a_nodes_certificate(hostile):
    evidence, machine = hostile.evidence[1], hostile.nodes[1].machine
    honest_csr, own_csr = (Requester(evidence, machine).csr(name=name) for name in ("honest", "own"))
    assert certificate_call(hostile, evidence, machine, honest_csr, own_csr)[0] == "quote_nonce_mismatch"
    reason, reply = certificate_call(hostile, evidence, machine, honest_csr, honest_csr)
    assert reason == "ok" and reply["certificate"].startswith(b"-----BEGIN CERTIFICATE-----")


def test_front_can_not_have_one_machines_proof_certify_another(hostile):
    evidence = hostile.evidence[0]
    csr = Requester(evidence, hostile.nodes[0].machine).csr()
    assert certificate_call(hostile, evidence, hostile.nodes[1].machine, csr, csr)[0] == "session_unknown"


# -- forged evidence ---------------------------------------------------------------------------------------------------

def ek(node):
    return {"source_ip": "127.0.0.1", "ek": base64.b64decode(node.identity()["ek_cert_pem"]), "ek_source": 1}


def challenge(channel, node, evidence):
    reason, reply = channel.call("challenge", **ek(node), ak_public=evidence.ak_pub)
    assert reason == "ok"
    evidence.session = {"credential_blob": b64(reply["credential_blob"]), "encrypted_secret": b64(reply["encrypted_secret"]),
                        "nonce": b64(reply["nonce"])}
    return reply


def honest(node, evidence, session):
    quote, signature = evidence.quote(session["nonce"])
    return dict(ek(node), session_id=session["session_id"], nonce_id=session["nonce_id"], activated_secret=evidence.activate(),
                ak_public=evidence.ak_pub, quote=quote, signature=signature)


def test_honest_evidence_is_taken_from_a_hostile_front_too(hostile):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    session = challenge(channel, node, evidence)
    reason, reply = channel.call("attest", **honest(node, evidence, session))
    assert reason == "ok" and reply["status"] == 3 and reply["config_token"]


@pytest.mark.parametrize("secret", [b"\0" * 32, os.urandom(32), b"\xff", b"\0" * 64])
def test_forged_possession_is_refused(hostile, secret):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    session = challenge(channel, node, evidence)
    values = dict(honest(node, evidence, session), activated_secret=secret)
    reason, _ = channel.call("attest", **values)
    assert reason == "challenge_response_invalid"


def test_used_session_is_refused(hostile):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    values = honest(node, evidence, challenge(channel, node, evidence))
    assert channel.call("attest", **values)[0] == "ok"
    assert channel.call("attest", **values)[0] == "session_used"


def activation(channel, node, evidence, machine, **changes):
    """The proof of a node's EK and AK, as the front passes it on for `machine`."""
    session = challenge(channel, node, evidence)
    values = dict(ek(node), machine_id=machine, session_id=session["session_id"], activated_secret=evidence.activate(),
                  ak_public=evidence.ak_pub)
    return channel.call("ak_activate", **dict(values, **changes))


def test_front_can_not_turn_a_proof_to_another_machine(hostile):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    for machine in (hostile.nodes[1].machine, hostile.pending.machine, "", "x"):
        assert activation(channel, node, evidence, machine)[0] == "ek_not_of_this_machine"
    reason, reply = activation(channel, node, evidence, node.machine)
    assert reason == "ok" and reply["machine_id"].decode() == node.machine and reply["joined"] == 0


@pytest.mark.parametrize("changes, reason", [
    ({"activated_secret": b""}, "field_missing"), ({"activated_secret": bytes(32)}, "challenge_response_invalid"),
    ({"session_id": b""}, "field_missing"), ({"session_id": b"short"}, "session_unknown"), ({"session_id": bytes(16)}, "session_unknown"),
    ({"quote": b"\xffTCG"}, "quote_missing"), ({"quote": b"\xffTCG", "signature": b"s"}, "quote_unreadable"),
    ({"ek": b"\x30\x03\x02\x01\x01"}, "ek_unreadable"), ({"ek_source": 0}, "ek_missing")])
def test_front_can_not_leave_out_a_part_of_the_activation(hostile, changes, reason):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    assert activation(open_channel(hostile, "api"), node, evidence, node.machine, **changes)[0] == reason


def test_front_can_not_join_an_ek_that_proved_nothing(hostile):
    """It has an EK that waits, and the AK of a member; it lacks a TPM that holds both."""
    member, pending = hostile.evidence[0], hostile.pending
    channel = open_channel(hostile, "api")
    session = challenge(channel, pending, member)
    assert member.try_activate(member.session) is None
    values = dict(ek(pending), machine_id=hostile.nodes[0].machine, session_id=session["session_id"], ak_public=member.ak_pub)
    assert channel.call("ak_activate", **values, activated_secret=bytes(32))[0] == "challenge_response_invalid"
    # The secret of the member's own challenge, for the EK that waits.
    own = challenge(channel, hostile.nodes[0], member)
    values.update(session_id=own["session_id"], activated_secret=member.activate())
    assert channel.call("ak_activate", **values)[0] == "session_unknown"
    assert_pending(hostile)


def test_another_machines_session_is_refused(hostile):
    channel = open_channel(hostile, "api")
    first, second = hostile.nodes
    session = challenge(channel, first, hostile.evidence[0])
    values = dict(honest(first, hostile.evidence[0], session), **ek(second))
    assert channel.call("attest", **values)[0] == "session_unknown"


def test_replayed_nonce_is_refused(hostile):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    _, fresh = channel.call("nonce_new", source_ip="127.0.0.1")
    quote, signature = evidence.quote(fresh["nonce"])
    values = dict(ek(node), nonce_id=fresh["nonce_id"], quote=quote, signature=signature)
    assert channel.call("attest", **values)[0] == "ok"
    assert channel.call("attest", **values)[0] == "nonce_used"


def test_invented_nonce_is_refused(hostile):
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    channel = open_channel(hostile, "api")
    quote, signature = evidence.quote(b"\1" * 32)
    values = dict(ek(node), nonce_id=b"\1" * 16, quote=quote, signature=signature)
    assert channel.call("attest", **values)[0] == "nonce_unknown"


def test_pending_machine_gets_nothing_from_a_hostile_front(hostile):
    channel = open_channel(hostile, "api")
    reason, reply = channel.call("attest", **ek(hostile.pending))
    assert reason == "ok" and reply["status"] == 1 and reply["config_token"] == b"" and reply["hostname"] == b""


def test_guessed_configuration_token_gives_nothing(hostile):
    channel = open_channel(hostile, "api")
    assert channel.call("config_fetch", source_ip="127.0.0.1", token="A" * 43, sealed=1)[0] == "config_token_unknown"


def test_plain_configuration_is_not_given_to_the_front(hostile):
    node, evidence = hostile.nodes[1], hostile.evidence[1]
    channel = open_channel(hostile, "api")
    session = challenge(channel, node, evidence)
    _, reply = channel.call("attest", **honest(node, evidence, session))
    token = reply["config_token"]
    assert channel.call("config_fetch", source_ip="127.0.0.1", token=token, sealed=0)[0] == "sealed_delivery_required"
    reason, config = channel.call("config_fetch", source_ip="127.0.0.1", token=token, sealed=1)
    assert reason == "ok" and config["sealed"] == 1 and b"cluster" not in config["body"]


def test_front_can_not_open_break_glass(hostile):
    body = struct.pack(">H", 10)
    expect_violation(hostile, "api", wire.header(wire.NUMBERS["breakglass_open"], 0, 1, len(body)) + body)


# -- signatures ----------------------------------------------------------------------------------------------------------

ARBITRARY = {
    "twenty_bytes": b"arbitrary bytes here",
    "nothing": b"",
    "random_of_the_right_length": os.urandom(146),
    "client_context": b" " * 64 + b"TLS 1.3, client CertificateVerify\0" + os.urandom(48),
    "sha256_transcript": CONTEXT + os.urandom(32),
    "one_space_short": b" " * 63 + b"!" + CONTEXT[64:] + os.urandom(48),
    "no_zero_byte": CONTEXT[:-1] + b"\1" + os.urandom(48),
}


@pytest.mark.parametrize("case", ARBITRARY)
def test_keyholder_does_not_sign_arbitrary_bytes(hostile, case):
    before = hostile.children()["keyholder"]
    channel = open_channel(hostile, "tls")
    reason, reply = channel.call("tls_sign", content=ARBITRARY[case])
    assert reason == "tls_content_refused" and "signature" not in reply
    assert hostile.children()["keyholder"] == before
    channel.socket.close()


def test_keyholder_signs_a_certificate_verify_and_the_signature_is_by_the_tls_key(hostile, tmp_path):
    content = CONTEXT + os.urandom(48)
    reason, reply = open_channel(hostile, "tls").call("tls_sign", content=content)
    assert reason == "ok"
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "signature").write_bytes(reply["signature"])
    run("openssl", "x509", "-in", hostile.chain, "-noout", "-pubkey", "-out", str(tmp_path / "key"))
    done = subprocess.run(["openssl", "dgst", "-sha384", "-verify", str(tmp_path / "key"), "-signature",
                           str(tmp_path / "signature"), str(tmp_path / "content")], env=clean_environment(), check=False)
    assert done.returncode == 0


def test_flood_meets_a_bound_and_others_are_still_served(hostile):
    before = hostile.children()
    channel = open_channel(hostile, "api")
    refused = 0
    for burst in range(120):
        frames = b"".join(wire.frame("nonce_new", {"source_ip": "127.0.0.1"}, burst * 100 + i + 1) for i in range(100))
        channel.send(frames)
        for _ in range(100):
            _, _, reason, _ = channel.receive()
            assert reason in ("ok", "sessions_exhausted")
            refused += reason == "sessions_exhausted"
    assert refused >= 1000  # 12,000 asked for, 10,000 may be outstanding
    channel.sequence = 12000
    reason, reply = channel.call("ready", source_ip="127.0.0.1")
    assert reason == "ok" and reply["database"] == 0
    assert hostile.children()["signer"] == before["signer"]
    node, evidence = hostile.nodes[0], hostile.evidence[0]
    assert challenge(channel, node, evidence)["nonce"]  # a known machine still gets in
    rows = [r for r in hostile.audit() if r["reason"] == "sessions_exhausted"]
    assert 0 < len(rows) <= 600  # bounded, however many were refused
    channel.socket.close()


def test_chain_is_whole_after_all_of_this(hostile):
    assert hostile.audit_rows() == len(hostile.audit())
