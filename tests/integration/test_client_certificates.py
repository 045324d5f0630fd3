"""Machines that show their enrollment certificate in the TLS handshake: what it opens, and what it does not."""

import http.client
import json
import re
import socket
import ssl

import pytest

from appliance import Appliance, Node, run, wait_until
from hostile import Evidence, refused, snapshot
from requester import Requester

SELF, ENROLL = "/api/v1/machines/self", "/api/v1/machines/enroll"


@pytest.fixture(scope="module")
def appliance():
    with Appliance({"pki": {"trust_domain": "prod.example.org"}}) as running:
        running.break_glass()
        processes = running.children()
        yield running
        assert running.children() == processes
        assert running.audit_rows() == len(running.audit())


def certified(appliance):
    node = Node(appliance)
    machine_id = node.admit()
    evidence = Evidence(node)
    assert evidence.attest().status == 200
    requester = Requester(evidence, machine_id)
    requester.certificate()
    return requester


@pytest.fixture(scope="module")
def holder(appliance):
    requester = certified(appliance)
    yield requester
    requester.evidence.node.remove()


@pytest.fixture
def passing(appliance):
    """A machine that a test may lock, revoke or delete."""
    requester = certified(appliance)
    yield requester
    requester.evidence.node.remove()


# -- the right certificate -------------------------------------------------------------------------------------------------


def test_machine_learns_how_it_stands(holder):
    answer = holder.ask_self()
    assert answer.status == 200, answer
    machine, certificate = answer.json["machine"], answer.json["certificate"]
    shown = holder.appliance.machine(holder.machine_id)
    assert [ek["ek_fingerprint"] for ek in shown.pop("eks")] == [machine["ek_fingerprint"]]  # for operators only
    assert machine == shown
    assert (machine["machine_id"], machine["status"]) == (holder.machine_id, "attested")
    assert (certificate["serial"], certificate["kind"], certificate["revoked_at"]) == (holder.serial(), "enrollment", None)


def test_enrollment_needs_no_nonce(holder):
    answer = holder.enroll_over_tls()
    assert (answer.status, answer.json["status"], answer.json["verdict"]) == (200, "attested", "not_evaluated"), answer
    row = holder.appliance.audit()[-1]
    assert (row["action"], row["machine_id"], json.loads(row["detail"])) == ("enroll", holder.machine_id, {"proof": "tls_handshake"})


def test_one_connection_serves_several_requests(holder):
    connection = http.client.HTTPSConnection("localhost", holder.appliance.port, context=holder.over_tls(), timeout=20)
    try:
        for _ in range(3):
            connection.request("GET", SELF)
            answer = connection.getresponse()
            assert answer.status == 200 and json.loads(answer.read())["machine"]["machine_id"] == holder.machine_id
    finally:
        connection.close()


@pytest.mark.parametrize("curves", ["P-384", "X25519:P-384"], ids=["at_once", "after_a_retry"])
def test_stock_clients_need_nothing_of_ours(holder, curves):
    """OpenSSL, with and without a HelloRetryRequest, by way of curl."""
    done = run("curl", "--silent", "--show-error", "--cacert", holder.appliance.chain, "--cert", holder.path("enrollment.pem"), "--key",
               holder.path("node.key"), "--curves", curves, holder.appliance.url + SELF)
    assert json.loads(done.stdout)["machine"]["machine_id"] == holder.machine_id


def test_connections_of_two_machines_are_not_mixed_up(holder, passing):
    for _ in range(3):
        for requester in (holder, passing):
            assert requester.ask_self().json["machine"]["machine_id"] == requester.machine_id
        assert holder.appliance.get(SELF).reason == "client_certificate_missing"


def test_certificate_changes_the_answer_of_no_other_route(holder):
    """A configuration, a certificate, an operator's view or act: the handshake's certificate is no credential for them."""
    appliance, context = holder.appliance, holder.over_tls()
    machines = snapshot(appliance)
    tried = 0
    for path, methods in appliance.get("/api/v1/openapi.json").json["paths"].items():
        for method in sorted(set(methods) & {"get", "post", "delete"}):
            if path in (SELF, ENROLL) or path == "/readyz":
                continue
            target = re.sub(r"{machine_id}", holder.machine_id, path)
            target = re.sub(r"{serial}", holder.serial(), re.sub(r"{(number|token)}", "1", target))
            body = {} if method == "post" else None
            answers = [appliance.request(method.upper(), target, body=body, context=c) for c in (None, context)]
            assert answers[0].status == answers[1].status, (method, path, answers)
            if path != "/api/v1/attest/challenge":  # which answers with a new nonce each time
                assert answers[0].body == answers[1].body, (method, path, answers)
            tried += 1
    assert tried > 25 and snapshot(appliance) == machines


# -- none, and wrong ones ----------------------------------------------------------------------------------------------------


def test_without_a_certificate_there_is_no_self_and_enrollment_wants_the_fields(appliance):
    answer = appliance.get(SELF)
    assert (answer.status, answer.reason) == (403, "client_certificate_missing")
    answer = appliance.post(ENROLL, {})
    assert (answer.status, answer.reason) == (422, "field_missing")


def foreign(holder, name, issuer_name):
    """A certificate for the holder's own key by another CA."""
    holder.openssl("genpkey", *Requester.KEYS["p384"], "-out", "ca.key")
    holder.openssl("req", "-x509", "-new", "-key", "ca.key", "-subj", issuer_name, "-days", "9", "-out", "ca.pem")
    holder.write("leaf.ext", "extendedKeyUsage=clientAuth\nkeyUsage=critical,digitalSignature\n")
    holder.openssl("req", "-new", "-key", "node.key", "-subj", "/CN=" + holder.machine_id, "-out", "leaf.csr")
    holder.openssl("x509", "-req", "-in", "leaf.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-days", "9", "-extfile", "leaf.ext",
                   "-set_serial", "0x" + holder.serial(), "-out", name)
    return name


@pytest.mark.parametrize("issuer", ["/CN=Some other CA", "/C=NL/O=ITL Usions/CN=ITL Machine Enrollment CA"], ids=["other", "namesake"])
def test_certificate_of_another_ca_ends_the_handshake_with_an_alert_that_says_so(holder, issuer):
    foreign(holder, "foreign.pem", issuer)
    assert "unknown ca" in alert(holder, certificate="foreign.pem").lower().replace("_", " ")
    assert holder.ask_self().status == 200


def alert(holder, **names):
    """What a client that waits for the server's word is told. Who sends its request at once may see a closed connection only."""
    context = holder.over_tls(**names)
    with socket.create_connection(("localhost", holder.appliance.port), timeout=20) as plain, \
            context.wrap_socket(plain, server_hostname="localhost") as connection, pytest.raises(ssl.SSLError) as told:
        connection.recv(1)
    return str(told.value)


def test_svid_is_no_enrollment_certificate(holder):
    holder.certificate("svid", csr=holder.csr(name="svid"), profile="svid")
    refused(holder.appliance, lambda: holder.ask_self(certificate="svid.pem", key="svid.key"), 403, "certificate_invalid",
            "machine_self_refused")
    refused(holder.appliance, lambda: holder.enroll_over_tls(certificate="svid.pem", key="svid.key"), 403, "certificate_invalid",
            "enroll_refused")


def test_stolen_certificate_without_its_key_gets_no_handshake(holder, passing):
    context = holder.appliance.context()
    with pytest.raises(ssl.SSLError, match="KEY_VALUES_MISMATCH|key values mismatch"):
        context.load_cert_chain(holder.path("enrollment.pem"), passing.path("node.key"))


def test_certificate_with_another_kind_of_key_proves_by_nonce_only(passing):
    """The handshake knows P-384 and nothing else; such a client comes without its certificate."""
    passing.certificate("small", csr=passing.csr("p256", "small"))
    answer = passing.ask_self(certificate="small.pem", key="small.key")
    assert (answer.status, answer.reason) == (403, "client_certificate_missing")
    body = passing.enroll_body("small.pem", "small.key")
    assert passing.appliance.post(ENROLL, body).status == 200


# -- state and revocation, in the signer's terms -------------------------------------------------------------------------------


@pytest.mark.parametrize("verb, reason", [("lock", "machine_locked"), ("revoke", "machine_revoked")])
def test_locked_or_revoked_machine_is_refused_at_once_on_an_open_connection(passing, verb, reason):
    connection = http.client.HTTPSConnection("localhost", passing.appliance.port, context=passing.over_tls(), timeout=20)

    def ask():
        connection.request("GET", SELF)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    try:
        assert ask()[0] == 200
        passing.appliance.cli("machine", verb, passing.machine_id, *([] if verb == "lock" else ["--yes"]))
        status, body = ask()
        assert (status, body["reason"]) == (403, reason)
        answer = passing.enroll_over_tls()
        assert (answer.status, answer.reason) == (403, reason)
        assert passing.appliance.machine(passing.machine_id)["status"] == {"lock": "locked", "revoke": "revoked"}[verb]
    finally:
        connection.close()


def test_revoked_certificate_is_refused_while_its_machine_goes_on(passing):
    passing.certificate("second", csr=passing.csr(name="second"))
    passing.appliance.cli("cert", "revoke", passing.serial("second.pem"), "--yes")
    for call in (lambda: passing.ask_self(certificate="second.pem", key="second.key"),
                 lambda: passing.enroll_over_tls(certificate="second.pem", key="second.key")):
        answer = call()
        assert (answer.status, answer.reason) == (403, "certificate_refused")
    assert passing.ask_self().status == 200


def test_certificate_outlives_its_machine_in_vain(passing):
    passing.appliance.cli("machine", "revoke", passing.machine_id, "--yes")
    passing.appliance.cli("machine", "delete", passing.machine_id, "--yes")
    answer = passing.ask_self()
    assert (answer.status, answer.reason) == (403, "certificate_refused")


def test_handshakes_go_on_while_the_signer_is_away_and_certificates_count_again_with_its_successor():
    with Appliance() as appliance:
        appliance.break_glass()
        holder = certified(appliance)
        try:
            assert holder.ask_self().status == 200
            old = http.client.HTTPSConnection("localhost", appliance.port, context=holder.over_tls(), timeout=20)
            old.connect()
            appliance.signal_child("signer")
            assert appliance.get("/healthz").status == 200
            told = set()

            def counts_again():
                answer = holder.ask_self()
                told.add(answer.reason if answer.status != 200 else "")
                return answer.status == 200

            wait_until(counts_again, 10, "the signer's successor")  # sooner than the front would ask for an anchor anyway
            assert told <= {"", "component_unavailable", "client_certificate_missing", "client_handshake_expired"}
            old.request("GET", SELF)  # shaken hands on with the anchor of a signer that is no more
            assert json.loads(old.getresponse().read())["reason"] == "client_handshake_expired"
            old.close()
        finally:
            holder.evidence.node.remove()
