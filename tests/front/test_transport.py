"""TLS and HTTP as strangers meet them: what is refused, bounded and survived."""
import concurrent.futures
import http.client
import os
import re
import socket
import ssl
import subprocess
import time

import pytest

from conftest import b64, make_ca, make_leaf, openssl


def s_client(appliance, *arguments, send=b""):
    done = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{appliance.port}", "-CAfile", f"{appliance.folder}/ca.pem", *arguments],
                          input=send, capture_output=True, timeout=20)
    return done.stdout.decode(errors="replace") + done.stderr.decode(errors="replace")


def served_name(appliance):
    sock = socket.create_connection(("127.0.0.1", appliance.port), timeout=15)
    with appliance.tls().wrap_socket(sock, server_hostname="localhost") as tls:
        return dict(pair[0] for pair in tls.getpeercert()["subject"])["commonName"]


# -- protocol -------------------------------------------------------------------------------------------------------------


def test_handshake_is_tls13_aes256_p384(appliance):
    text = s_client(appliance)
    assert "TLSv1.3, Cipher is TLS_AES_256_GCM_SHA384" in text
    assert "Server Temp Key: ECDH, secp384r1, 384 bits" in text
    assert "Peer signing digest: SHA384" in text and "Verify return code: 0 (ok)" in text


@pytest.mark.parametrize("arguments", [["-tls1_2"], ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES256-GCM-SHA384"], ["-ciphersuites", "TLS_AES_128_GCM_SHA256"],
                                       ["-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"], ["-groups", "X25519"], ["-groups", "P-256:P-521"],
                                       ["-sigalgs", "ecdsa_secp256r1_sha256:rsa_pss_rsae_sha256"]])
def test_weaker_handshakes_are_refused(appliance, arguments):
    text = s_client(appliance, *arguments)
    assert "Cipher is (NONE)" in text and "alert" in text


def test_no_ticket_is_given(appliance):
    text = s_client(appliance, send=b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    assert "NewSessionTicket" not in text and "Post-Handshake New Session Ticket" not in text


def test_plain_http_gets_nothing(appliance):
    with socket.create_connection(("127.0.0.1", appliance.port), timeout=15) as sock:
        sock.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        try:
            assert b"status" not in sock.recv(4096)
        except ConnectionResetError:
            pass


# -- certificate ----------------------------------------------------------------------------------------------------------


def test_certificate_is_swapped_without_a_restart(start, folder):
    a = start().ready()
    kept = a.connection()
    kept.request("GET", "/healthz")
    assert kept.getresponse().read()
    assert served_name(a) == "localhost"
    a.tell("chain " + make_leaf(folder, f"{folder}/store/public.pem", "second", common_name="second"))
    a.expect("reply front tls_chain ok")
    assert served_name(a) == "second"
    kept.request("GET", "/healthz")
    assert kept.getresponse().status == 200
    a.stop()


@pytest.fixture(scope="session")
def bad_chains(folder):
    other = f"{folder}/other"
    os.mkdir(other)
    make_ca(other)
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{other}/p256.key")
    openssl("ec", "-in", f"{other}/p256.key", "-pubout", "-out", f"{other}/p256.pem")
    openssl("ec", "-in", f"{other}/ca.key", "-pubout", "-out", f"{other}/foreign.pem")
    chains = {
        "another key": make_leaf(folder, f"{other}/foreign.pem", "foreign"),
        "another curve": make_leaf(folder, f"{other}/p256.pem", "p256"),
        "expired": make_leaf(folder, f"{folder}/store/public.pem", "expired", days="-1"),
    }
    good = open(f"{folder}/server.pem").read()
    ca = open(f"{folder}/ca.pem").read()
    texts = {
        "not a certificate": "hello\n",
        "leaf last": ca + good,
        "foreign issuer": good + open(f"{other}/ca.pem").read(),
        "broken issuer": good + ca.replace("M", "N", 9),
        "too many": good + ca * 8,
        "empty": "",
    }
    for name, text in texts.items():
        path = f"{folder}/bad-{name.replace(' ', '-')}.chain"
        with open(path, "w") as f:
            f.write(text)
        chains[name] = path
    return chains


BAD = ["another key", "another curve", "expired", "not a certificate", "leaf last", "foreign issuer", "broken issuer", "too many", "empty"]


@pytest.mark.parametrize("kind", BAD)
def test_unfit_chain_is_refused_and_the_old_one_stays(appliance, bad_chains, kind):
    appliance.forget()
    appliance.tell("chain " + bad_chains[kind])
    assert appliance.expect("reply front tls_chain") == "reply front tls_chain tls_certificate_invalid"
    assert served_name(appliance) == "localhost"


@pytest.mark.parametrize("kind", ["another key", "another curve", "expired", "empty"])
def test_front_does_not_start_with_an_unfit_chain(start, bad_chains, kind):
    a = start(chain=bad_chains[kind])
    assert a.expect("reply front setup") == "reply front setup tls_certificate_invalid"
    a.expect("exited front status 1")
    a.stop()


@pytest.mark.parametrize("settings,subject", [({"workers": "0"}, "workers"), ({"workers": "257"}, "workers"), ({"service_url": "http://x"}, "service_url"),
                                              ({"sealed_only": "2"}, "sealed_only")])
def test_front_does_not_start_with_an_unfit_setting(start, settings, subject):
    a = start(**settings)
    a.expect("reply front setup field_invalid")
    assert f'"subject":"{subject}"' in a.log_text()
    a.stop()


# -- keyholder ------------------------------------------------------------------------------------------------------------

PADDING = b" " * 64
CONTEXT = b"TLS 1.3, server CertificateVerify\x00"
HASH = b"h" * 48


def test_keyholder_signs_a_server_certificate_verify(start, folder, tmp_path):
    a = start(front="no")
    a.expect("reply keyholder setup ok")
    content = PADDING + CONTEXT + HASH
    a.tell("sign " + content.hex())
    signature = bytes.fromhex(a.expect("signature ").split()[1])
    (tmp_path / "content").write_bytes(content)
    (tmp_path / "signature").write_bytes(signature)
    out = openssl("dgst", "-sha384", "-verify", f"{folder}/store/public.pem", "-signature", str(tmp_path / "signature"), str(tmp_path / "content"))
    assert b"Verified OK" in out
    a.stop()


@pytest.mark.parametrize("content", [b"x" * 20, PADDING + CONTEXT + b"h" * 32, PADDING + CONTEXT + b"h" * 47, PADDING + b"TLS 1.3, client CertificateVerify\x00" + HASH,
                                     b"\x00" + PADDING[1:] + CONTEXT + HASH, PADDING[1:] + b"\t" + CONTEXT + HASH,
                                     PADDING + CONTEXT[:-1] + b"\x01" + HASH, b""])
def test_keyholder_signs_nothing_else(start, content):
    a = start(front="no")
    a.expect("reply keyholder setup ok")
    a.tell("sign " + content.hex())
    assert a.expect("signature ") == "signature refused tls_content_refused"
    a.tell("sign " + (PADDING + CONTEXT + HASH).hex())
    assert re.match("signature 30", a.expect("signature "))
    a.stop()


def test_keyholder_reports_a_malformed_frame_and_lives(start):
    a = start(front="no")
    a.expect("reply keyholder setup ok")
    a.tell("tls-garbage")
    assert a.expect("violation ") == "violation keyholder 0 malformed_message"
    a.tell("drain-keyholder")
    assert a.expect("exited ") == "exited keyholder status 0"
    a.stop()


def test_keyholder_tries_a_wrong_pin_once_and_says_so(start):
    a = start(front="no", pin="wrong-pin")
    a.expect("reply keyholder setup token_pin")
    a.expect("exited keyholder status 1")
    a.stop()


def test_keyholder_says_that_the_token_is_missing(start):
    a = start(front="no", hsm_token_label="nobody")
    a.expect("reply keyholder setup token_absent")
    a.stop()


def test_handshakes_fail_without_the_keyholder_and_come_back(start):
    a = start().ready()
    kept = a.connection()
    kept.request("GET", "/healthz")
    assert kept.getresponse().read()
    a.tell("kill keyholder")
    a.expect("exited keyholder signal 9")
    a.expect("reply front channel_reset ok")
    began = time.monotonic()
    assert "alert internal error" in s_client(a)
    assert time.monotonic() - began < 3
    kept.request("GET", "/healthz")
    assert kept.getresponse().read()
    a.tell("start keyholder")
    a.expect("reply keyholder setup ok")
    a.expect("reply front channel_reset ok")
    assert a.get("/healthz").status == 200
    a.stop()


def test_front_reports_a_malformed_frame_of_the_signer(start):
    a = start().ready()
    a.tell("garbage")
    assert a.expect("violation ") == "violation front 1 malformed_message"
    answer = a.get("/api/v1/attest/challenge")
    assert (answer.status, answer.json["reason"]) == (503, "component_unavailable")
    assert a.get("/healthz").status == 200
    a.stop()


# -- bounds ---------------------------------------------------------------------------------------------------------------


def status_line(data):
    return data.split(b"\r\n", 1)[0]


def test_long_target_and_headers_are_refused(appliance):
    assert b" 431 " in status_line(appliance.raw(b"GET /" + b"a" * 2048 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
    assert b" 404 " in status_line(appliance.raw(b"GET /" + b"a" * 2000 + b" HTTP/1.1\r\nHost: x\r\n\r\n"))
    try:
        assert b" 400 " in status_line(appliance.raw(b"GET /healthz HTTP/1.1\r\nX: " + b"a" * 17000 + b"\r\n\r\n"))
    except OSError:
        pass  # closed with bytes unread: TCP may throw the answer away
    assert appliance.get("/healthz").status == 200
    many = b"".join(b"X-%d: 1\r\n" % i for i in range(64))
    assert b" 431 " in status_line(appliance.raw(b"GET /healthz HTTP/1.1\r\n" + many + b"\r\n"))


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET /healthz HTTP/2.0\r\n\r\n", b" 400 "), (b"BREW /healthz HTTP/1.1\r\n\r\n", b" 400 "), (b"GET\r\n\r\n", b" 400 "),
    (b"GET /healthz HTTP/1.1\r\nContent-Length: 1\r\n\r\nx", b" 400 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\n\r\n", b" 411 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n", b" 411 "),
    (b"GET /healthz HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", b" 411 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2x\r\n\r\n{}", b" 400 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\n{}", b" 400 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: -2\r\n\r\n{}", b" 400 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}", b" 415 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Length: 2\r\n\r\n{}", b" 415 "),
    (b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/jsonp\r\nContent-Length: 2\r\n\r\n{}", b" 415 "),
    (b"GET /api/v1/machines HTTP/1.1\r\nAuthorization: Bearer \xff\r\n\r\n", b" 400 "),
    (b"GET /api/v1/machines?role=\xff HTTP/1.1\r\n\r\n", b" 400 "),
])
def test_odd_requests_are_refused(appliance, request_bytes, status):
    answer = appliance.raw(request_bytes)
    assert status in status_line(answer), answer
    assert b"X-Request-Id: " in answer and b'"reason":"' in answer


@pytest.mark.parametrize("path,size", [("/api/v1/attest", 2 * 1024 * 1024 + 1), ("/api/v1/register", 65537), ("/api/v1/machines/x/approve", 16385)])
def test_body_over_its_limit_is_refused_and_the_client_hears_it(appliance, path, size):
    answer = appliance.post(path, b"x" * size)
    assert (answer.status, answer.json["reason"]) == (413, "body_too_large")
    assert answer.headers["Connection"] == "close"


@pytest.mark.parametrize("length", [b"9223372036854775807x", b"4\r\nContent-Length: 4", b"-1"])
def test_connection_ends_when_its_framing_is_in_doubt(appliance, length):
    tls = appliance.raw(b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: " + length +
                        b"\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n", read=False)
    got = b""
    try:
        while chunk := tls.recv(65536):
            got += chunk
    except OSError:
        pass
    assert b"high_assurance" not in got and got.count(b"HTTP/1.1") <= 1


def test_announced_but_endless_body_is_refused_at_once(appliance):
    began = time.monotonic()
    assert b" 413 " in status_line(appliance.raw(b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n"))
    assert time.monotonic() - began < 5


def test_client_that_expects_to_be_asked_for_its_body_is_asked(appliance):
    tls = appliance.raw(b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n", read=False)
    assert tls.recv(100).startswith(b"HTTP/1.1 100 Continue\r\n\r\n")
    tls.sendall(b"{")
    assert tls.recv(100).startswith(b"HTTP/1.1 422 ")


def test_many_requests_go_over_one_connection(appliance):
    connection = appliance.connection()
    for _ in range(50):
        connection.request("POST", "/api/v1/attest", b"{}", {"Content-Type": "application/json"})
        response = connection.getresponse()
        assert response.status == 422 and response.headers["Connection"] == "keep-alive"
        response.read()


def test_pipelined_requests_are_answered_in_order(appliance):
    tls = appliance.raw(b"GET /healthz HTTP/1.1\r\n\r\nGET /nothing HTTP/1.1\r\n\r\nGET /health HTTP/1.1\r\nConnection: close\r\n\r\n", read=False)
    got = b""
    while chunk := tls.recv(65536):
        got += chunk
    assert re.findall(rb"HTTP/1.1 (\d+)", got) == [b"200", b"404", b"200"]


def test_rate_limit_answers_with_the_time_to_wait(start):
    a = start(rate_per_minute="5").ready()
    statuses = [a.get("/api/v1/attest/challenge").status for _ in range(7)]
    assert statuses == [200] * 5 + [429] * 2
    answer = a.get("/api/v1/attest/challenge")
    assert answer.json["reason"] == "rate_limited" and 1 <= int(answer.headers["Retry-After"]) <= 13
    assert a.post("/api/v1/attest", {}).status == 429
    assert a.get("/healthz").status == 200
    a.stop()


def test_slow_signer_does_not_hold_a_request_for_ever(start):
    a = start().ready()
    a.tell("mute 1")
    began = time.monotonic()
    answer = a.get("/readyz")
    assert (answer.status, answer.json["reason"]) == (503, "timed_out") and 2 < time.monotonic() - began < 8
    a.stop()


def test_both_address_families_are_served_and_named(start):
    a = start(both_families="yes").ready()
    assert a.get("/api/v1/attest/challenge").status == 200
    context = a.tls()
    context.check_hostname = False
    six = http.client.HTTPSConnection("::1", a.port, context=context, timeout=15)
    six.request("GET", "/api/v1/attest/challenge")
    assert six.getresponse().status == 200
    six.close()
    sources = '"source":"127.0.0.1"', '"source":"::1"'
    log = a.log_text(*sources)
    assert all(source in log for source in sources)
    a.stop()


# -- many and slow clients ------------------------------------------------------------------------------------------------


def test_four_hundred_parallel_clients_are_served(start):
    a = start().ready()
    with concurrent.futures.ThreadPoolExecutor(100) as pool:
        statuses = list(pool.map(lambda _: a.request("GET", "/healthz", timeout=90).status, range(400)))
    assert statuses == [200] * 400
    a.stop()


def test_more_idle_connections_than_workers_do_not_starve_a_new_one(start):
    a = start(workers="4").ready()
    idle = []
    for _ in range(4):
        connection = a.connection()
        connection.request("GET", "/healthz")
        connection.getresponse().read()
        idle.append(connection)
    began = time.monotonic()
    assert a.get("/healthz").status == 200
    assert time.monotonic() - began < 2
    a.stop()


def trickle(appliance, start, seconds):
    """Sends a byte each half second; how long until the server gave up."""
    tls = appliance.raw(start, read=False, timeout=60)
    began = time.monotonic()
    try:
        while time.monotonic() - began < seconds:
            tls.sendall(b"x")
            time.sleep(0.5)
            tls.setblocking(False)
            try:
                if tls.recv(65536) == b"":
                    break
            except (ssl.SSLWantReadError, BlockingIOError):
                pass
            finally:
                tls.settimeout(60)
    except OSError:
        pass
    return time.monotonic() - began


def test_slow_clients_are_cut_off(start):
    a = start(workers="8").ready()
    head = b"GET /healthz HTTP/1.1\r\nX-Slow: "
    body = b"POST /api/v1/attest HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 2000000\r\n\r\n"
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        heads = [pool.submit(trickle, a, head, 60) for _ in range(3)]
        bodies = [pool.submit(trickle, a, body, 60) for _ in range(3)]
        time.sleep(1)
        assert a.get("/healthz").status == 200
        assert all(8 < done.result() < 20 for done in heads)
        assert all(25 < done.result() < 45 for done in bodies)
    assert a.get("/healthz").status == 200
    a.stop()


def test_silent_connections_are_cut_off_before_and_after_the_handshake(start):
    a = start(workers="4").ready()
    silent = [socket.create_connection(("127.0.0.1", a.port), timeout=60) for _ in range(4)]
    began = time.monotonic()
    assert a.request("GET", "/healthz", timeout=60).status == 200
    assert time.monotonic() - began < 20
    for sock in silent:
        sock.close()
    a.stop()


# -- end ------------------------------------------------------------------------------------------------------------------


def test_drain_answers_what_is_under_way_and_exits(start):
    a = start().ready()
    a.tell("mute 1")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(a.get, "/api/v1/attest/challenge")
        time.sleep(0.5)
        a.tell("drain 4000")
        a.expect("reply front drain ok")
        with pytest.raises(OSError):
            a.request("GET", "/healthz", timeout=1)
        began = time.monotonic()
        assert a.expect("exited front") == "exited front status 0"
        assert time.monotonic() - began < 6
        with pytest.raises((OSError, http.client.HTTPException)):
            waiting.result()
    a.stop()


def test_idle_front_drains_at_once(start):
    a = start().ready()
    began = time.monotonic()
    a.tell("drain 10000")
    a.expect("exited front status 0")
    assert time.monotonic() - began < 2
    a.stop()


def test_front_is_replaced_on_the_same_port(start):
    a = start().ready()
    port = a.port
    a.tell("drain 1000")
    a.expect("exited front status 0")
    a.tell("restart front")
    a.ready()
    assert a.port == port and a.get("/healthz").status == 200
    a.stop()


def test_children_end_with_the_supervisor(start):
    a = start().ready()
    a.tell("pids")
    pids = [int(pid) for pid in a.expect("pids ").split()[1:]]
    a.process.kill()
    a.process.wait()
    deadline = time.monotonic() + 5
    while any(os.path.exists(f"/proc/{pid}") and "Z" not in open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] for pid in pids):
        assert time.monotonic() < deadline
        time.sleep(0.05)


# -- sandbox --------------------------------------------------------------------------------------------------------------


def test_front_and_keyholder_are_sealed_and_have_no_other_descriptors(start):
    a = start().ready()
    assert a.get("/healthz").status == 200
    a.tell("pids")
    front, keyholder = a.expect("pids ").split()[1:]
    for pid in (front, keyholder):
        status = open(f"/proc/{pid}/status").read()
        assert re.search(r"^NoNewPrivs:\t1$", status, re.M)
        assert re.search(r"^CapEff:\t0+$", status, re.M)
        if not os.environ.get("ITL_SANITIZE"):
            assert re.search(r"^Seccomp:\t2$", status, re.M)
    if os.geteuid() != 0:  # a process that can't be traced shows its descriptors to root only
        with pytest.raises(PermissionError):
            os.listdir(f"/proc/{front}/fd")
        return

    def descriptors():
        return {fd: os.readlink(f"/proc/{front}/fd/{fd}") for fd in os.listdir(f"/proc/{front}/fd")}

    deadline = time.monotonic() + 10  # the front may not have closed our connection yet
    while sum(link.startswith("socket:") for link in descriptors().values()) > 4 and time.monotonic() < deadline:
        time.sleep(0.05)
    links = descriptors()
    assert [links[fd] for fd in sorted(links, key=int)][0] == "/dev/null"
    assert sum(link.startswith("socket:") for link in links.values()) == 4
    assert not any(link.startswith("/") and link != "/dev/null" and "log-" not in link for link in links.values()), links
    a.stop()
