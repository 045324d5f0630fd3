"""What the front alone says to clients with certificates; whether one counts is the signer's to say."""
import os
import socket
import ssl
import time

import pytest

from conftest import openssl

SELF = "/api/v1/machines/self"


@pytest.fixture(scope="session")
def client(folder):
    """Makes a client's certificate by the CA that the stub names, and gives the settings of a client that shows it."""
    def make(name, *, ca="ca", begin=-60, end=3600, usage="clientAuth", curve="P-384", constraints="CA:FALSE"):
        base = f"{folder}/{name}"
        openssl("genpkey", "-algorithm", "EC", "-pkeyopt", f"ec_paramgen_curve:{curve}", "-out", base + ".key")
        with open(base + ".ext", "w") as out:
            out.write(f"basicConstraints=critical,{constraints}\nextendedKeyUsage={usage}\n")
        openssl("req", "-new", "-key", base + ".key", "-subj", "/CN=" + name, "-out", base + ".csr")
        database = base + ".db"
        os.makedirs(database, exist_ok=True)
        open(database + "/index", "w").close()
        with open(base + ".cnf", "w") as out:
            out.write(f"[ca]\ndefault_ca=x\n[x]\ndatabase={database}/index\nnew_certs_dir={database}\npolicy=p\ndefault_md=sha384\n"
                      "rand_serial=yes\n[p]\ncommonName=supplied\n")
        begins, ends = (time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + s)) for s in (begin, end))
        openssl("ca", "-batch", "-config", base + ".cnf", "-cert", f"{folder}/{ca}.pem", "-keyfile", f"{folder}/{ca}.key", "-in", base + ".csr",
                "-startdate", begins, "-enddate", ends, "-extfile", base + ".ext", "-out", base + ".pem", "-notext")
        return base

    return make


def shown(appliance, base):
    context = appliance.tls()
    context.load_cert_chain(base + ".pem", base + ".key")
    return context


def alert(appliance, base):
    with socket.create_connection(("localhost", appliance.port), timeout=20) as plain, \
            shown(appliance, base).wrap_socket(plain, server_hostname="localhost") as connection, pytest.raises(ssl.SSLError) as told:
        connection.recv(1)
    return str(told.value).lower().replace("_", " ")


def test_client_without_a_certificate_is_served(appliance):
    answer = appliance.get(SELF)
    assert (answer.status, answer.json["reason"]) == (403, "client_certificate_missing")


def test_handshake_of_a_client_with_a_certificate_goes_to_the_signer(start, client):
    a = start().ready()
    base = client("good")
    answer = a.request("GET", SELF, context=shown(a, base))
    assert (answer.status, answer.json["reason"]) == (403, "machine_locked")  # the stub's answer
    assert int(a.expect("handshake ").split()[1]) > 1500
    assert a.request("GET", "/healthz", context=shown(a, base)).status == 200


@pytest.mark.parametrize("changes, words", [
    ({"begin": -7200, "end": -3600}, "certificate expired"), ({"begin": 3600, "end": 7200}, "bad certificate"),
    ({"usage": "serverAuth"}, "unsupported certificate"), ({"constraints": "CA:TRUE"}, "unsupported certificate"),
    ({"ca": "stranger"}, "unknown ca"), ({"ca": "namesake"}, "unknown ca")],
    ids=["expired", "not_yet", "servers", "a_ca", "of_another_ca", "of_a_namesake"])
def test_unfit_certificate_ends_the_handshake_with_an_alert(appliance, client, folder, changes, words):
    if changes.get("ca"):
        name = {"stranger": "/CN=stranger", "namesake": "/CN=front test CA"}[changes["ca"]]
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384", "-noenc", "-keyout", f"{folder}/{changes['ca']}.key",
                "-subj", name, "-days", "9", "-out", f"{folder}/{changes['ca']}.pem")
    assert words in alert(appliance, client("unfit", **changes))
    assert appliance.get("/healthz").status == 200


def test_client_whose_key_the_handshake_does_not_know_comes_without_its_certificate(appliance, client):
    answer = appliance.request("GET", SELF, context=shown(appliance, client("small", curve="P-256")))
    assert (answer.status, answer.json["reason"]) == (403, "client_certificate_missing")


def test_chain_of_more_than_8_kib_is_refused(appliance, client, folder):
    base = client("long")
    with open(base + ".pem", "a") as out:
        out.write(open(f"{folder}/ca.pem").read() * 20)
    assert "excessive message size" in alert(appliance, base) or "illegal parameter" in alert(appliance, base)


def test_silent_signer_keeps_no_client_out(start):
    """Without an anchor clients are not asked. Who asks for one waits a second, then nobody does for another; the log says it as often."""
    a = start().ready()
    a.tell("mute 1")
    began = time.monotonic()
    for _ in range(30):
        assert a.get("/healthz").status == 200
    tried = a.log_text("tls.client_certificates_off").count("tls.client_certificates_off")
    assert 1 <= tried <= (time.monotonic() - began) / 2 + 1
