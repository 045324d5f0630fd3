"""EK certificates whose issuer only the TPM knows: the appliance has the root, the node sends what lies between."""

import base64
import hashlib
import json
import os

import pytest

from appliance import Appliance, Node, VendorCa, run
from forgery import ek_fields
from hostile import Evidence, refused

CHAIN_INDEX = 0x01C00100


@pytest.fixture
def rooted():
    """An appliance that knows the vendor's root and nothing else of it."""
    appliance = Appliance()
    for name in os.listdir(os.path.join(appliance.state, "intermediates")):
        os.unlink(os.path.join(appliance.state, "intermediates", name))
    with appliance as running:
        running.break_glass()
        yield running


@pytest.fixture
def machine(rooted):
    made = Node(rooted)
    yield made
    made.remove()


def issuer_of(node):
    """The vendor's intermediate CA in DER."""
    path = node.tpm.path("issuer.der")
    run("openssl", "x509", "-in", VendorCa.get().issuer, "-outform", "DER", "-out", path)
    return node.tpm.read("issuer.der")


def write_areas(node, *contents):
    """As the maker of the TPM would leave it: readable by anybody."""
    for offset, content in enumerate(contents):
        path = node.tpm.path(f"chain{offset}")
        with open(path, "wb") as out:
            out.write(content)
        index = f"0x{CHAIN_INDEX + offset:08X}"
        node.tpm.tool("tpm2_nvdefine", index, "-C", "o", "-s", str(len(content)), "-a", "ownerread|ownerwrite|authread|authwrite|no_da")
        node.tpm.tool("tpm2_nvwrite", index, "-C", "o", "-i", path)


def with_chain(identity, *certificates):
    der = base64.b64decode(identity["ek_cert_pem"])
    return {**identity, "ek_cert_pem": base64.b64encode(b"".join((der, *certificates))).decode()}


def test_machine_is_refused_without_the_issuer_that_its_tpm_does_not_hold(rooted, machine):
    answer = machine.register()
    assert (answer.status, answer.reason) == (403, "ek_not_trusted")
    done = machine.agent()
    assert done.returncode not in (0, 10) and "ek_not_trusted" in done.stderr + done.stdout


@pytest.mark.parametrize("split", [1, 3], ids=["one area", "one certificate over three areas"])
def test_issuer_in_the_tpm_leads_the_machine_in_and_stays_known(rooted, machine, split):
    issuer = issuer_of(machine)
    step = -(-len(issuer) // split)
    write_areas(machine, *(issuer[at:at + step] for at in range(0, len(issuer), step)))
    assert machine.agent().returncode == 10
    found, = rooted.machines()
    assert found["ek_anchor"].endswith("swtpm-localca-rootca")
    rooted.approve(found["machine_id"])
    assert machine.agent().returncode == 0

    said = json.loads(rooted.cli("machine", "explain", found["machine_id"]).stdout)
    assert said["verdict"] == "pass", said  # judged anew, from what was stored
    assert rooted.machine(found["machine_id"])["assurance"].startswith("tpm-certificate/")


def test_areas_that_hold_no_certificate_do_not_keep_a_machine_out(appliance, node):
    """This appliance knows the issuer."""
    write_areas(node, b"\x01\x02\x03\x04 no certificate")
    assert node.agent().returncode == 10


def test_known_machine_must_send_the_chain_again_to_attest(rooted, machine):
    """What is sent is what is judged: the identity it registered with does not vouch for a certificate sent later."""
    plain = machine.identity()
    answer = rooted.post("/api/v1/self-register", with_chain(plain, issuer_of(machine)))
    assert answer.status == 200, answer
    rooted.approve(answer.json["machine_id"])
    refused(rooted, Evidence(machine).attest, 403, "ek_not_trusted", "attest_refused")
    assert rooted.machine(answer.json["machine_id"])["status"] == "registered"


def test_pem_bundle_is_a_chain_as_well(rooted, machine):
    def pem(der):
        return b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(der) + b"-----END CERTIFICATE-----\n"

    identity = machine.identity()
    bundle = pem(base64.b64decode(identity["ek_cert_pem"])) + pem(issuer_of(machine))
    answer = rooted.post("/api/v1/self-register", {**identity, "ek_cert_pem": base64.b64encode(bundle).decode()})
    assert answer.status == 200, answer


def test_eight_certificates_may_follow_and_nine_are_too_many(rooted, machine):
    issuer = issuer_of(machine)
    identity = machine.identity()
    answer = rooted.post("/api/v1/self-register", with_chain(identity, *[issuer] * 9))
    assert (answer.status, answer.reason) == (422, "too_long") and answer.json["detail"][0]["loc"] == ["body", "ek_cert_pem"], answer
    assert rooted.post("/api/v1/self-register", with_chain(identity, *[issuer] * 8)).status == 200


def test_sent_root_is_no_root(rooted, workshop):
    """The attacker's own CA of the vendor's name, complete and valid in itself, with an EK certificate for a key of his own."""
    ca = workshop.namesake(VendorCa.get().root)
    spki = workshop.software_ek()
    ek = workshop.certificate("ek", *ca)
    root = base64.b64decode("".join(workshop.read("namesake.pem").decode().splitlines()[1:-1]))
    answer = rooted.post("/api/v1/self-register", ek_fields(ek + root, hashlib.sha384(spki).hexdigest()))
    assert answer.status == 403 and answer.reason == "ek_chain_invalid", answer
    assert rooted.machines() == []
