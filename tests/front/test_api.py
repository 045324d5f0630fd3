"""What clients see: shapes, status codes, headers and refusals of every endpoint."""
import json
import os
import re

import pytest

from conftest import b64

FINGERPRINT = "ab" * 48
MACHINE = "0b7c5b1e-1111-4222-8333-444455556666"
TOKEN = "Zm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyZm9vYmFyMDA"


def registration(**more):
    return {"ek_fingerprint": FINGERPRINT, "ek_cert_pem": b64(b"certificate"), **more}


def attestation(**more):
    return {"ek_fingerprint": FINGERPRINT, "ek_cert_pem": b64(b"certificate"), "session_id": "00" * 16, "nonce_id": "11" * 16,
            "activated_secret": b64(b"s" * 32), "pcr_quote": b64(b"quote"), "pcr_signature": b64(b"signature"), **more}


def refused(answer, status, reason):
    assert (answer.status, answer.json["reason"]) == (status, reason)
    assert answer.json["detail"]
    return answer.json


def schema_error(answer, reason, *loc):
    body = refused(answer, 422, reason)
    assert body["detail"] == [{"loc": list(loc), "msg": body["detail"][0]["msg"], "type": reason}]


# -- status ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/healthz", "/health"])
def test_health_says_ok_and_the_mode(appliance, path):
    assert appliance.get(path).json == {"status": "ok", "high_assurance": True}


def test_health_lists_what_weakens_the_mode(start):
    weak = start(downgrades="operator.grants,tls.groups", high_assurance="0").ready()
    assert weak.get("/healthz").json == {"status": "ok", "high_assurance": False, "downgrades": ["operator.grants", "tls.groups"]}
    weak.stop()


def test_every_answer_has_the_safe_headers(appliance):
    for path in ["/healthz", "/nothing", "/api/v1/attest/challenge"]:
        headers = appliance.get(path).headers
        assert re.fullmatch("[0-9a-f]{32}", headers["X-Request-Id"])
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Strict-Transport-Security"] == "max-age=31536000; includeSubDomains"
        assert headers["Content-Type"] == "application/json"
        assert "Access-Control-Allow-Origin" not in headers and "Server" not in headers


def test_request_ids_differ(appliance):
    assert appliance.get("/healthz").headers["X-Request-Id"] != appliance.get("/healthz").headers["X-Request-Id"]


def test_ready_tells_of_each_component(start):
    a = start().ready()
    assert (a.get("/readyz").status, a.get("/readyz").json) == (
        200, {"status": "ready", "token": "ok", "database": "ok", "audit": "ok", "courier": "ok"})
    a.tell("courier-down")
    answer = a.get("/readyz")
    assert (answer.status, answer.json["status"], answer.json["courier"]) == (200, "degraded", "component_unavailable")
    a.tell("token-down")
    answer = a.get("/readyz")
    assert (answer.status, answer.json["status"], answer.json["token"]) == (503, "unavailable", "token_removed")
    a.stop()


def test_openapi_describes_exactly_the_routes(appliance):
    document = appliance.get("/api/v1/openapi.json").json
    assert document["openapi"].startswith("3.1")
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item if method in ("get", "post", "delete")}
    assert described == {
        ("GET", "/healthz"), ("GET", "/health"), ("GET", "/readyz"), ("GET", "/api/v1/openapi.json"),
        ("POST", "/api/v1/self-register"), ("POST", "/api/v1/register"),
        ("GET", "/api/v1/attest/challenge"), ("POST", "/api/v1/attest/challenge"), ("POST", "/api/v1/attest"),
        ("GET", "/api/v1/config"), ("GET", "/api/v1/config/{token}"),
        ("GET", "/api/v1/machines"), ("GET", "/api/v1/machines/{machine_id}"), ("POST", "/api/v1/machines/{machine_id}/approve"),
        ("GET", "/api/v1/machines/self"), ("GET", "/api/v1/machines/{machine_id}/evidence/latest"),
        ("GET", "/api/v1/machines/{machine_id}/evidence"), ("GET", "/api/v1/machines/{machine_id}/explain"),
        ("GET", "/api/v1/machines/{machine_id}/baseline"), ("GET", "/api/v1/policies/{number}/simulate"),
        ("GET", "/api/v1/policies"), ("POST", "/api/v1/policies"), ("GET", "/api/v1/policies/{number}"),
        ("POST", "/api/v1/policies/{number}/activate"),
        ("DELETE", "/api/v1/machines/{machine_id}"), ("POST", "/api/v1/machines/enroll"),
        ("POST", "/api/v1/machines/{machine_id}/request-cert"), ("POST", "/api/v1/machines/{machine_id}/ak-activate"),
        ("GET", "/api/v1/certificates"),
        ("POST", "/api/v1/certificates/{serial}/revoke"),
        ("GET", "/pki/enrollment-ca.pem"), ("GET", "/pki/enrollment-ca.crl"), ("GET", "/pki/bundle.json"),
        *(("POST", "/api/v1/machines/{machine_id}/" + act) for act in ("lock", "unlock", "revoke", "reject", "wipe-ack"))}
    references = set(re.findall(r'"#/components/([^"]+)"', json.dumps(document)))
    for reference in references:
        kind, name = reference.split("/")
        assert name in document["components"][kind], reference


# -- routing --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/healthz/", "/HEALTHZ", "/api/v1/config/", "/api/v1/config/a/b", "/api/v1/config/%41",
                                  "/api/v1/config/..", "/api/v1/machines/x/approve/y", "//healthz", "/api/v1/config/" + "a" * 129,
                                  "/docs", "/metrics"])
def test_unknown_path_is_not_found(appliance, path):
    refused(appliance.get(path), 404, "not_found")


@pytest.mark.parametrize("method,path,allow", [("POST", "/healthz", "GET"), ("DELETE", "/api/v1/attest", "POST"),
                                               ("OPTIONS", "/api/v1/attest/challenge", "GET, POST"), ("PUT", "/api/v1/machines", "GET"),
                                               ("PUT", f"/api/v1/machines/{MACHINE}", "GET, DELETE"),
                                               ("GET", f"/api/v1/machines/{MACHINE}/approve", "POST")])
def test_wrong_method_says_which_are_allowed(appliance, method, path, allow):
    answer = appliance.request(method, path)
    refused(answer, 405, "method_not_allowed")
    assert answer.headers["Allow"] == allow


# -- register -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/api/v1/self-register", "/api/v1/register"])
def test_register_gives_no_token(appliance, path):
    answer = appliance.post(path, registration())
    assert answer.status == 200
    assert list(answer.json) == ["machine_id", "role", "status", "config_token", "config_url", "message"]
    assert answer.json["status"] == "pending_approval"
    assert answer.json["config_token"] is None and answer.json["config_url"] is None


def test_register_of_a_known_machine_says_so(appliance):
    assert appliance.post("/api/v1/register", registration(hw_serial="attested")).json["status"] == "attested"


def test_unknown_and_null_fields_of_nodes_are_ignored(appliance):
    assert appliance.post("/api/v1/register", registration(new_thing={"a": [1, 2.5e3, True]}, hw_mac=None)).status == 200


@pytest.mark.parametrize("change,reason,field", [
    ({"ek_fingerprint": None}, "field_missing", "ek_fingerprint"),
    ({"ek_fingerprint": "  "}, "field_missing", "ek_fingerprint"),
    ({"ek_fingerprint": "ab" * 47}, "field_invalid", "ek_fingerprint"),
    ({"ek_fingerprint": "xy" * 48}, "field_invalid", "ek_fingerprint"),
    ({"ek_fingerprint": 7}, "field_invalid", "ek_fingerprint"),
    ({"ek_cert_pem": None}, "ek_missing", "ek_cert_pem"),
    ({"ek_cert_pem": ""}, "ek_missing", "ek_cert_pem"),
    ({"ek_cert_pem": "AAA"}, "base64_invalid", "ek_cert_pem"),
    ({"ek_cert_pem": "AAB="}, "base64_invalid", "ek_cert_pem"),
    ({"ek_cert_pem": "AA-_"}, "base64_invalid", "ek_cert_pem"),
    ({"ek_cert_pem": ["AAAA"]}, "field_invalid", "ek_cert_pem"),
    ({"ek_cert_pem": b64(b"x" * 24577)}, "too_long", "ek_cert_pem"),
    ({"ek_source": "file"}, "field_invalid", "ek_source"),
    ({"hw_serial": "a" * 129}, "too_long", "hw_serial"),
    ({"hw_serial": "a\nb"}, "field_invalid", "hw_serial"),
    ({"hw_serial": {"a": 1}}, "field_invalid", "hw_serial"),
    ({"cluster_id": "a" * 65}, "too_long", "cluster_id"),
])
def test_register_names_the_field_at_fault(appliance, change, reason, field):
    schema_error(appliance.post("/api/v1/self-register", registration(**change)), reason, "body", field)


def test_fingerprint_may_have_blanks_and_capitals(appliance):
    assert appliance.post("/api/v1/register", registration(ek_fingerprint=" " + "AB" * 32 + " ")).status == 200


def test_base64_with_line_ends_is_read(appliance):
    assert appliance.post("/api/v1/register", registration(ek_cert_pem="QUJD\nREVG\n")).status == 200


def test_signers_refusal_keeps_field_reason_and_retry(appliance):
    schema_error(appliance.post("/api/v1/register", registration(desired_role="captain")), "role_unknown", "body", "desired_role")
    answer = appliance.post("/api/v1/register", registration(hw_serial="limit"))
    refused(answer, 429, "machines_exhausted")
    assert answer.headers["Retry-After"] == "60"
    answer = appliance.post("/api/v1/register", registration(hw_serial="full"))
    refused(answer, 503, "storage_full")
    assert answer.headers["Retry-After"] == "5"


# -- challenge and attest -------------------------------------------------------------------------------------------------


def test_nonce_has_its_shape(appliance):
    body = appliance.get("/api/v1/attest/challenge").json
    assert re.fullmatch("[0-9a-f]{32}", body["nonce_id"]) and len(body["nonce"]) == 44
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", body["expires_at"])


def test_challenge_has_its_shape(appliance):
    body = appliance.post("/api/v1/attest/challenge", {"ek_cert_pem": b64(b"c"), "ak_pub": b64(b"area")}).json
    assert list(body) == ["session_id", "nonce_id", "nonce", "credential_blob", "encrypted_secret", "pcr_selection", "event_log",
                          "userspace_log", "expires_at"]
    assert body["userspace_log"] is True
    assert body["pcr_selection"] == {"sha256": [0, 2, 4, 7]}
    assert body["credential_blob"] == b64(b"blob") and body["event_log"] == "optional"


def test_challenge_takes_a_bare_public_key(appliance):
    assert appliance.post("/api/v1/attest/challenge", {"ek_pub": b64(b"p"), "ak_pub": b64(b"area")}).status == 200
    assert appliance.post("/api/v1/attest/challenge", {"ek_source": "pub", "ek_cert_pem": b64(b"p"), "ak_pub": b64(b"area")}).status == 200


def test_challenge_without_ak_is_refused(appliance):
    schema_error(appliance.post("/api/v1/attest/challenge", {"ek_cert_pem": b64(b"c")}), "field_missing", "body", "ak_pub")


def test_challenge_with_a_bad_ak_is_forbidden(appliance):
    refused(appliance.post("/api/v1/attest/challenge", {"ek_cert_pem": b64(b"c"), "ak_pub": b64(b"bad")}), 403, "ak_attributes")


EIGHT = ["machine_id", "status", "hostname", "role", "message", "action", "config_url", "config_token"]
MORE = ["reason", "verdict", "failures", "policy_version", "assurance", "wipe_token", "verdicts", "baseline", "note", "valid_until", "reattest_after",
        "ek_fingerprints"]


def test_attest_answers_with_all_keys(appliance):
    body = appliance.post("/api/v1/attest", attestation()).json
    assert list(body) == EIGHT + MORE
    assert body["config_url"] == f"https://attest.example:8443/api/v1/config/{TOKEN}"
    assert (body["status"], body["action"], body["verdict"], body["reason"]) == ("attested", "apply-config", "pass", None)


def test_attest_without_proof_tells_only_the_status(appliance):
    body = appliance.post("/api/v1/attest", attestation(activated_secret=None)).json
    assert list(body) == EIGHT + MORE
    assert body["status"] == "attested" and body["action"] == "none" and body["verdict"] == "not_evaluated"
    for key in ["machine_id", "hostname", "role", "config_url", "config_token", "reason", "assurance"]:
        assert body[key] is None
    assert TOKEN not in json.dumps(body) and MACHINE not in json.dumps(body)


def test_attest_that_fails_policy_says_why(appliance):
    body = appliance.post("/api/v1/attest", attestation(hw_serial="policy")).json
    assert (body["action"], body["verdict"], body["reason"]) == ("none", "fail", "pcr_policy_mismatch")
    assert body["failures"] == [{"rule": "pcr:sha256:7", "expected": "00", "actual": 'ff"<',
                                 "gate": None, "telemetry": False, "excused": False}]
    assert body["config_token"] is None and body["config_url"] is None


def test_attest_of_a_revoked_machine_says_wipe(appliance):
    body = appliance.post("/api/v1/attest", attestation(hw_serial="wipe")).json
    assert (body["status"], body["action"]) == ("revoked", "wipe")


@pytest.mark.parametrize("case,status,reason", [("nonce-expired", 410, "nonce_expired"), ("nonce-used", 409, "nonce_used"),
                                                ("nonce-unknown", 422, "nonce_unknown"), ("rejected", 403, "machine_rejected")])
def test_attest_refusals_have_their_status(appliance, case, status, reason):
    refused(appliance.post("/api/v1/attest", attestation(hw_serial=case)), status, reason)


@pytest.mark.parametrize("values,count", [({"sha256:0": "00" * 32, "sha384:23": "11" * 48}, 2), ({"sha256": {"0": "00" * 32, "7": "AB" * 32}}, 2),
                                          ({}, 0), ({"sha256": {}}, 0)])
def test_pcr_values_are_read_in_both_forms(appliance, values, count):
    appliance.forget()
    appliance.post("/api/v1/attest", attestation(hw_serial="log", pcr_values=values, event_log=b64(b"l" * 1000)))
    assert appliance.expect("log ") == f"log 1000 values {count}"


@pytest.mark.parametrize("values", [[], "x", {"sha256": []}, {"sha256:24": "00" * 32}, {"sha256:00": "00" * 32}, {"sha256:": "00" * 32},
                                    {"sha256:0": "00" * 31}, {"sha256:0": 5}, {"sha3:0": "00" * 32}, {"sha256": {"0": "zz" * 32}},
                                    {"": "00" * 32}, {"sha256:-1": "00" * 32}])
def test_malformed_pcr_values_are_refused(appliance, values):
    schema_error(appliance.post("/api/v1/attest", attestation(pcr_values=values)), "pcr_values_invalid", "body", "pcr_values")


def test_largest_event_log_passes_and_one_byte_more_does_not(appliance):
    appliance.post("/api/v1/attest", attestation(hw_serial="log", event_log=b64(os.urandom(524288))))
    assert appliance.expect("log ") == "log 524288 values 0"
    schema_error(appliance.post("/api/v1/attest", attestation(event_log=b64(b"x" * 524289))), "too_long", "body", "event_log")


# -- JSON -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", [b"", b" ", b"{", b'{"a":1,}', b'{"a":1}x', b"{'a':1}", b'{"a":01}', b'{"a":1.}', b'{"a":.5}', b'{"a":+1}',
                                  b'{"a":NaN}', b'{"a":"\x01"}', b'{"a":"\xff"}', b'{"a":"\xc0\xaf"}', b'{"a":"\xed\xa0\x80"}', b'{"a":"\\ud800"}',
                                  b'{"a":"\\u0000"}', b'{"a":"\\x41"}', b'{"a":1,"a":2}', b'{"a":1,"\\u0061":2}', b'{"a" 1}', b'{"a":}', b"[1,]",
                                  b'{"a":tru}', b'{"a":"x}', b'\xef\xbb\xbf{}', b'{"a":{"b":1,"b":2}}', b'{"a":1}\x00',
                                  b'{"k":[' + b"1," * 1000 + b"1]}"])
def test_what_is_not_json_is_refused(appliance, text):
    schema_error(appliance.post("/api/v1/attest", text), "json_invalid", "body")


@pytest.mark.parametrize("text", [b"[]", b"7", b'"x"', b"null"])
def test_body_that_is_no_object_is_refused(appliance, text):
    schema_error(appliance.post("/api/v1/attest", text), "field_invalid", "body")


def test_depth_bomb_is_refused(appliance):
    schema_error(appliance.post("/api/v1/attest", b'{"a":' + b"[" * 100000), "json_too_deep", "body")


def test_strings_with_escapes_are_read(appliance):
    text = json.dumps(registration(hw_product="Gerät \U0001f600 \"x\""))
    assert "\\u" in text and appliance.post("/api/v1/register", text.encode()).status == 200


def test_front_reports_malformed_bodies_to_the_audit_log(start):
    a = start().ready()
    a.post("/api/v1/attest", b"{")
    assert a.expect("noted ") == "noted POST /api/v1/attest json_invalid"
    a.post("/api/v1/self-register", registration(ek_cert_pem="AAA"))
    assert a.expect("noted ") == "noted POST /api/v1/self-register base64_invalid"
    a.post("/api/v1/register", registration(desired_role="captain"))
    a.get("/nothing")
    a.post("/api/v1/attest", b"[")
    assert a.expect("noted ") == "noted POST /api/v1/attest json_invalid"
    assert not any("role_unknown" in line or "not_found" in line for line in a.seen)
    a.stop()


# -- config ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("accept", [None, "*/*", "application/*", "application/vnd.itl.config.sealed+json", "text/html, */*;q=0.1",
                                    "application/yaml, application/vnd.itl.config.sealed+json"])
def test_config_is_sealed_by_default(appliance, accept):
    headers = {"Accept": accept} if accept else {}
    answer = appliance.request("GET", f"/api/v1/config/{TOKEN}", headers=headers)
    assert answer.status == 200 and answer.headers["Content-Type"] == "application/vnd.itl.config.sealed+json"
    assert list(answer.json) == ["format", "machine_id", "credential_blob", "encrypted_secret", "iv", "ciphertext", "tag", "aad"]
    assert answer.json["format"] == "tpm-credential-v1"


@pytest.mark.parametrize("accept", ["application/yaml", "text/plain", "application/vnd.itl.config.encrypted+json"])
def test_plain_config_is_not_acceptable_where_sealing_is_required(appliance, accept):
    refused(appliance.get(f"/api/v1/config/{TOKEN}", Accept=accept), 406, "sealed_delivery_required")


def test_plain_config_where_sealing_is_off(start):
    a = start(sealed_only="0").ready()
    answer = a.get(f"/api/v1/config/{TOKEN}", Accept="application/yaml")
    assert (answer.status, answer.headers["Content-Type"], answer.body) == (200, "application/yaml", b"y" * 100)
    assert a.get(f"/api/v1/config/{TOKEN}").headers["Content-Type"] == "application/vnd.itl.config.sealed+json"
    a.stop()


def test_largest_config_arrives_whole(appliance):
    answer = appliance.get("/api/v1/config/big")
    assert answer.status == 200 and answer.json["ciphertext"] == b64(b"y" * 1048576)


def test_unknown_config_token_is_not_found(appliance):
    refused(appliance.get("/api/v1/config/unknown"), 404, "config_token_unknown")


def test_pending_config_by_mac(appliance):
    answer = appliance.get("/api/v1/config?mac=aa%3Abb:cc:dd:ee:ff")
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")


@pytest.mark.parametrize("query,reason", [("", "field_missing"), ("?mac=", "field_missing"), ("?mac=%zz", "field_invalid"), ("?mac=%0a", "field_invalid"),
                                          ("?mac=a&mac=b", "field_invalid"), ("?mac=" + "a" * 129, "too_long"), ("?mac=%4", "field_invalid")])
def test_pending_config_without_a_proper_mac_is_refused(appliance, query, reason):
    schema_error(appliance.get("/api/v1/config" + query), reason, "query", "mac")


def test_tokens_are_never_logged(appliance):
    appliance.get(f"/api/v1/config/{TOKEN}")
    appliance.get("/api/v1/machines", Authorization="Bearer good")
    log = appliance.log_text("/api/v1/config/{token}", '"path":"/api/v1/machines"')
    assert "/api/v1/config/{token}" in log and TOKEN not in log and "Bearer" not in log


# -- operators ------------------------------------------------------------------------------------------------------------


def test_machines_without_credential_ask_for_one(appliance):
    answer = appliance.get("/api/v1/machines")
    refused(answer, 401, "credential_missing")
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert appliance.get("/api/v1/machines", Authorization="Basic Z29vZA==").status == 401


def test_wrong_or_endless_credential_is_refused(appliance):
    refused(appliance.get("/api/v1/machines", Authorization="Bearer wrong"), 401, "credential_invalid")
    refused(appliance.get("/api/v1/machines", Authorization="Bearer " + "a" * 129), 401, "credential_invalid")


def test_closed_operator_authentication_is_unavailable(appliance):
    refused(appliance.get("/api/v1/machines", Authorization="Bearer closed"), 503, "operator_auth_closed")


def test_machines_list_filters_and_pages(appliance):
    appliance.forget()
    answer = appliance.get(f"/api/v1/machines?status=attested&role=worker-app&after={MACHINE}&limit=2", Authorization="Bearer good")
    assert appliance.expect("list ") == (f"list status 3 role worker-app after {MACHINE} limit 2 target "
                                         f"/api/v1/machines?status=attested&role=worker-app&after={MACHINE}&limit=2")
    assert len(answer.json) == 2 and answer.headers["X-Next-After"] == MACHINE
    assert answer.json[0]["hw_serial"] == 'quote" back\\slash' and answer.json[0]["attested_at"] is None
    assert answer.json[0]["registered_at"].endswith("Z")


def test_largest_machine_list_arrives_whole(appliance):
    answer = appliance.get("/api/v1/machines", Authorization="bearer good")
    assert len(answer.json) == 200 and "X-Next-After" not in answer.headers


@pytest.mark.parametrize("query,reason,loc", [("status=dead", "field_invalid", ["query", "status"]), ("limit=0", "field_invalid", ["query", "limit"]),
                                              ("limit=201", "field_invalid", ["query", "limit"]), ("limit=-1", "field_invalid", ["query", "limit"]),
                                              ("limit=1x", "field_invalid", ["query", "limit"]), ("page=2", "field_unknown", ["query"]),
                                              ("role=" + "a" * 65, "too_long", ["query", "role"])])
def test_bad_list_filters_are_refused(appliance, query, reason, loc):
    schema_error(appliance.get("/api/v1/machines?" + query, Authorization="Bearer good"), reason, *loc)


def test_one_machine_is_shown(appliance):
    body = appliance.get(f"/api/v1/machines/{MACHINE}", Authorization="Bearer good").json
    assert body["machine_id"] == MACHINE and body["status"] == "pending_approval"
    refused(appliance.get("/api/v1/machines/unknown", Authorization="Bearer good"), 404, "machine_unknown")


def test_approval_reaches_the_signer_as_it_was_signed(appliance):
    body = '{"role":"worker-app",  "hostname": "n\\u00e9"}'
    answer = appliance.post(f"/api/v1/machines/{MACHINE}/approve?x=%20", body, headers={
        "Authorization": "Bearer good", "Content-Digest": "sha-512=:AAA=:", "Signature-Input": 'itl=("@method")', "Signature": "itl=:BBB=:"})
    assert answer.status == 200
    assert appliance.expect("approve ") == (f"approve POST /api/v1/machines/{MACHINE}/approve?x=%20 digest sha-512=:AAA=: input "
                                            f'itl=("@method") signature itl=:BBB=: body {body}')


def test_unsigned_approval_is_refused(appliance):
    refused(appliance.post(f"/api/v1/machines/{MACHINE}/approve", {}, headers={"Authorization": "Bearer good"}), 403,
            "request_signature_missing")


def test_approval_body_must_be_json(appliance):
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/approve", b"{", headers={"Authorization": "Bearer good"}), "json_invalid", "body")
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/approve", b"[]", headers={"Authorization": "Bearer good"}), "field_invalid", "body")


def test_overlong_signature_header_is_refused(appliance):
    refused(appliance.post(f"/api/v1/machines/{MACHINE}/approve", {}, headers={"Authorization": "Bearer good", "Signature": "a" * 1025}), 431,
            "headers_too_large")


@pytest.mark.parametrize("act", ["lock", "unlock", "revoke", "reject", "wipe-ack"])
@pytest.mark.parametrize("body", [None, '{"reason":"r"}'], ids=["no body", "body"])
def test_act_reaches_the_signer_with_or_without_a_body(appliance, act, body):
    appliance.forget()
    answer = appliance.request("POST", f"/api/v1/machines/{MACHINE}/{act}", body, headers={"Authorization": "Bearer good"})
    assert answer.status == 200 and answer.json["machine_id"] == MACHINE
    assert appliance.expect("act ") == f"act {act} {MACHINE} token  body {body or ''}"


def test_deletion_reaches_the_signer(appliance):
    answer = appliance.request("DELETE", f"/api/v1/machines/{MACHINE}", headers={"Authorization": "Bearer good"})
    assert answer.status == 200 and appliance.expect("act delete")
    refused(appliance.request("DELETE", f"/api/v1/machines/{MACHINE}"), 401, "credential_missing")


def test_act_with_a_body_that_is_no_object_is_refused(appliance):
    good = {"Authorization": "Bearer good"}
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/lock", b"[]", headers=good), "field_invalid", "body")
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/wipe-ack", {"wipe_token": 7}, headers=good), "field_invalid", "body", "wipe_token")
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/wipe-ack", {"wipe_token": "a" * 129}), "too_long", "body", "wipe_token")


def test_wipe_token_needs_no_operator(appliance):
    answer = appliance.post(f"/api/v1/machines/{MACHINE}/wipe-ack", {"wipe_token": "abc"})
    assert answer.status == 200 and appliance.expect("act wipe-ack").startswith(f"act wipe-ack {MACHINE} token abc")


# -- certificates ---------------------------------------------------------------------------------------------------------

CERTIFICATE_KEYS = ["machine_id", "role", "enrollment_cert_pem", "enrollment_key_pem", "enrollment_key_encrypted_b64",
                    "enrollment_key_wrapping", "enrollment_ca_pem", "valid_days", "expires_at", "svid_pem", "spiffe_id",
                    "svid_expires_at", "message"]


def armoured(label, data):
    return f"-----BEGIN {label}-----\n{b64(data)}\n-----END {label}-----\n"


@pytest.mark.parametrize("text", [armoured("CERTIFICATE REQUEST", b"der"), armoured("NEW CERTIFICATE REQUEST", b"der"), b64(b"der"),
                                  "noise\r\n" + armoured("CERTIFICATE REQUEST", b"der") + armoured("CERTIFICATE REQUEST", b"second")])
def test_certificate_request_is_read_in_every_armour(appliance, text):
    appliance.forget()
    answer = appliance.post(f"/api/v1/machines/{MACHINE}/request-cert", {"csr_pem": text, "profile": "svid"})
    assert appliance.expect("request_cert ") == f"request_cert {MACHINE} profile 2 csr der wrapping "
    assert answer.status == 200 and list(answer.json) == CERTIFICATE_KEYS
    assert answer.json["enrollment_key_pem"] == "" and answer.json["enrollment_cert_pem"] == "certificate\n"
    assert answer.json["enrollment_key_wrapping"] is None and answer.json["svid_pem"] is None


def test_wrapped_key_is_answered(appliance):
    answer = appliance.post(f"/api/v1/machines/{MACHINE}/request-cert", {"wrapping_key_pem": armoured("PUBLIC KEY", b"spki")})
    assert answer.json["enrollment_key_encrypted_b64"] == b64(b"encrypted")
    assert answer.json["enrollment_key_wrapping"] == {"format": "rsa-oaep-sha256+aes256gcm", "wrapped_key": b64(b"wrapped"), "iv": b64(b"iv")}


@pytest.mark.parametrize("fields,reason,field", [
    ({"csr_pem": armoured("CERTIFICATE", b"der")}, "field_invalid", "csr_pem"), ({"csr_pem": "-----BEGIN CERTIFICATE REQUEST-----\nAAAA"}, "field_invalid", "csr_pem"),
    ({"csr_pem": armoured("CERTIFICATE REQUEST", b"")}, "field_invalid", "csr_pem"), ({"csr_pem": "AA*A"}, "base64_invalid", "csr_pem"),
    ({"csr_pem": 1}, "field_invalid", "csr_pem"), ({"csr_pem": b64(bytes(4097))}, "too_long", "csr_pem"),
    ({"csr_pem": "A" * 9000}, "too_long", "csr_pem"), ({"wrapping_key_pem": armoured("RSA PUBLIC KEY", b"x")}, "field_invalid", "wrapping_key_pem"),
    ({"profile": "root"}, "field_invalid", "profile"), ({"session_id": "00"}, "field_invalid", "session_id")])
def test_bad_certificate_request_is_refused(appliance, fields, reason, field):
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/request-cert", fields), reason, "body", field)


def activation(**more):
    return {"session_id": "00" * 16, "activated_secret": b64(b"s"), "ak_pub": b64(b"area"), "ek_cert_pem": b64(b"certificate"), **more}


@pytest.mark.parametrize("quote", [{}, {"pcr_quote": b64(b"q"), "pcr_signature": b64(b"z")}, {"quote": b64(b"q"), "quote_sig": b64(b"z")},
                                   {"pcr_quote": b64(b"q"), "pcr_signature": b64(b"z"), "quote": b64(b"other"), "quote_sig": b64(b"other")}])
def test_ak_is_activated_with_either_name_of_the_quote_or_without_one(appliance, quote):
    appliance.forget()
    answer = appliance.post(f"/api/v1/machines/{MACHINE}/ak-activate", activation(pcr_values={"sha256:0": "00" * 32}, **quote))
    said = "q z" if quote else " "
    assert appliance.expect("ak_activate ") == f"ak_activate {MACHINE} ek 1 certificate ak area secret s quote {said} values 1"
    assert answer.status == 200 and list(answer.json) == ["machine_id", "ak_accepted", "ek_joined", "message"]
    assert answer.json["ak_accepted"] is True and answer.json["ek_joined"] is True


@pytest.mark.parametrize("fields,reason,field", [
    ({"ek_cert_pem": None}, "ek_missing", "ek_cert_pem"), ({"ak_pub": ""}, "field_missing", "ak_pub"),
    ({"ak_pub": b64(bytes(1025))}, "too_long", "ak_pub"), ({"session_id": "00"}, "field_invalid", "session_id"),
    ({"quote": 1}, "field_invalid", "quote"), ({"quote_sig": "*"}, "base64_invalid", "quote_sig"),
    ({"pcr_values": {"sha256:24": "00" * 32}}, "pcr_values_invalid", "pcr_values"), ({"ek_fingerprint": "00"}, "field_invalid", "ek_fingerprint")])
def test_bad_ak_activation_is_refused(appliance, fields, reason, field):
    schema_error(appliance.post(f"/api/v1/machines/{MACHINE}/ak-activate", activation(**fields)), reason, "body", field)


def test_one_machine_comes_with_its_eks(appliance):
    answer = appliance.get(f"/api/v1/machines/{MACHINE}", Authorization="Bearer good")
    assert answer.json["eks"] == [{"ek_fingerprint": "ab", "key": "P-384", "ek_source": "cert", "since": "2026-11-22T10:00:00.000Z",
                                   "names_machine": True}]
    listed = appliance.get("/api/v1/machines?limit=1", Authorization="Bearer good")
    assert "eks" not in listed.json[0]


def test_enrollment_is_answered_like_attest(appliance):
    appliance.forget()
    body = {"cert_pem": armoured("CERTIFICATE", b"leaf"), "nonce_id": "00" * 16, "nonce": "abc", "nonce_signature": b64(b"s")}
    answer = appliance.post("/api/v1/machines/enroll", body)
    assert appliance.expect("enroll ") == "enroll certificate leaf nonce abc"
    assert answer.status == 200 and list(answer.json) == EIGHT + MORE
    assert (answer.json["status"], answer.json["reason"], answer.json["config_token"]) == ("registered", "attestation_required", None)
    for name in ("cert_pem", "nonce", "nonce_signature"):
        schema_error(appliance.post("/api/v1/machines/enroll", dict(body, **{name: ""})), "field_missing", "body", name)


def test_pki_documents_have_tags_and_are_not_sent_twice(appliance):
    for path, media, text in (("/pki/enrollment-ca.pem", "application/x-pem-file", b"ca"), ("/pki/enrollment-ca.crl", "application/pkix-crl", b"crl")):
        first = appliance.get(path)
        assert (first.status, first.headers["Content-Type"], first.body) == (200, media, text)
        assert first.headers["Cache-Control"] == "no-cache"
        again = appliance.get(path, If_None_Match=first.headers["ETag"])
        assert (again.status, again.body, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
        assert "Content-Length" not in again.headers
        assert appliance.get(path, If_None_Match='"other"').status == 200
    refused(appliance.get("/pki/bundle.json"), 404, "trust_domain_not_set")


def test_certificates_are_listed_and_revoked(appliance):
    refused(appliance.get("/api/v1/certificates"), 401, "credential_missing")
    answer = appliance.get("/api/v1/certificates?limit=1", Authorization="Bearer good")
    assert answer.json[0]["serial"] == "41" * 16 == answer.headers["X-Next-After"]
    assert (answer.json[0]["kind"], answer.json[0]["revoked_reason"]) == ("svid", "certificate_hold")
    answer = appliance.request("POST", "/api/v1/certificates/" + "41" * 16 + "/revoke", headers={"Authorization": "Bearer good"})
    assert answer.status == 200 and answer.json["serial"] == "41" * 16
    schema_error(appliance.get("/api/v1/certificates?limit=0", Authorization="Bearer good"), "field_invalid", "query", "limit")
    refused(appliance.post("/api/v1/certificates/" + "a" * 33 + "/revoke", {}, headers={"Authorization": "Bearer good"}), 404, "certificate_unknown")
