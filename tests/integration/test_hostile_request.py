"""Requests that are none, and too many of them. What the front refuses by itself is in the audit log as well."""

import hashlib
import http.client
import json
import time

import pytest

from appliance import Answer, Appliance, Node, wait_until
from forgery import ek_fields
from hostile import ATTEST, CHALLENGE, REGISTER, Evidence, b64, refused, session_body, snapshot


@pytest.fixture(scope="module")
def appliance(lasting_appliance):
    return lasting_appliance


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
    wait_until(lambda: any(e["reason"] == reason and e["method"] == method for e in refused_requests(appliance)), 5,
               "its log line")
    assert len(appliance.audit()) == rows and snapshot(appliance) == machines


def refused_requests(appliance):
    return [event for event in appliance.events("http.request") if "reason" in event]


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


def told(appliance):
    """Refusals that have a row, and those that were counted in one."""
    rows = appliance.audit()
    written = sum(row["action"] == "self_register_refused" for row in rows)
    return written + sum(json.loads(row["detail"])["count"] for row in rows if row["action"] == "refusals_suppressed")


def post_until_one_is_only_counted(appliance, body, posted):
    """The flood's own last one may have got its row. How many it was in the end."""
    for _ in range(20):
        if told(appliance) < posted:
            return posted
        for _ in range(10):
            assert appliance.post(REGISTER, body).status == 403
            posted += 1
    raise AssertionError("every refusal got a row: there is no bound")


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

        posted = post_until_one_is_only_counted(appliance, body, len(said))
        time.sleep(1)
        assert appliance.post(REGISTER, body).status == 403
        tail = appliance.audit()[-2:]
        assert [row["action"] for row in tail] == ["refusals_suppressed", "self_register_refused"]
        assert told(appliance) == posted + 1


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
            for _ in range(16):  # the session above counts apart
                assert appliance.get(CHALLENGE).status == 200
            refused(appliance, lambda: appliance.get(CHALLENGE), 429, "sessions_exhausted", "nonce_new_refused")
            assert int(appliance.get(CHALLENGE).headers["Retry-After"]) > 0
        finally:
            first.remove()
            second.remove()
