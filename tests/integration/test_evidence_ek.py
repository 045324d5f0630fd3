"""`attestation evidence ek`: certificates of real TPMs, and generated ones with everything that can be wrong or odd."""

import base64
import hashlib
import json
import os
import re
import subprocess

import pytest

import certificates as x
from appliance import Tpm, run
from certificates import Mint
from evidence_command import evidence, expected, real

FIELDS = {"manufacturer", "model", "version", "serial_number", "public_hash", "fingerprint", "key", "chain", "anchor",
          "problems"}
CA_FOLDER = real("ca-certificates")


def judge_file(path, *options):
    return evidence("ek", path, "--json", *options)


# -- certificates of real TPMs -------------------------------------------------------------------------------------------

# What the collection expects in words, as chain and problems.
VERDICTS = {
    "ntc_npct75x_keylime.der": ("trusted", set()),
    "stm_st33htphahb4_rsa_padded_ff.der": ("trusted", set()),
    "ifx_slb9665_053e_ca029.der": ("trusted", set()),
    "ifx_slb9670_0728_ca007.der": ("trusted", set()),
    "intel_spt_rsa2048.der": ("trusted", set()),
    "stm_st33htphahe0_ca06.der": ("trusted", set()),
    "intel_glk_ecc_p256.der": ("untrusted", {"issuer_unknown"}),
    "gce_uca_tpm_rsa_enc_cert.pem": ("trusted", set()),
    "gce_pca_tpm_ecc_enc_cert.pem": ("trusted", set()),
    "gce_uca_tpm_ecc_sign_cert.pem": ("invalid", {"ek_key_usage"}),
    "hirs_nuc_ek_with_tcg_header.bin": ("invalid", {"weak_signature", "ek_of_tpm_1_2", "expired"}),
    "hirs_nuc_ek_tpm12.der": ("invalid", {"weak_signature", "ek_of_tpm_1_2", "expired"}),
}
REAL_CERTIFICATES = expected("ek-certificates", "expected_certs.json")


def test_every_real_certificate_has_a_verdict():
    assert {entry["file"] for entry in REAL_CERTIFICATES} == set(VERDICTS)


@pytest.mark.parametrize("entry", REAL_CERTIFICATES, ids=lambda entry: entry["file"])
def test_real_certificate_gets_the_expected_verdict(entry):
    chain, problems = VERDICTS[entry["file"]]
    outcome = judge_file(real("ek-certificates", entry["file"]), "--ca-dir", CA_FOLDER)
    said = outcome.json
    assert FIELDS <= set(said)
    assert (said["chain"], outcome.problems) == (chain, problems)
    assert outcome.status == (0 if chain == "trusted" else 1)
    assert [said[key] for key in ("manufacturer", "model", "version")] == \
        [entry[key] for key in ("manufacturer", "model", "version")]
    # The collection writes the content of the INTEGER, with a sign octet where there is one.
    assert int(said["serial_number"], 16) == int(entry["serial"], 16)
    assert said["key"] == entry["key"].replace("RSAES-OAEP", "RSA").replace("EC ", "").replace("RSA ", "RSA-")
    if chain == "trusted":
        root = re.search(r"CN=([^,]+)", entry["chain_by_signature"][-1]["subject"]).group(1)
        assert root.replace("/", "\\/") in said["anchor"]
    else:
        assert said["anchor"] is None


@pytest.mark.parametrize("entry", expected("ca-certificates", "expected_certs.json"), ids=lambda entry: entry["file"])
def test_real_ca_certificate_is_no_ek(entry):
    outcome = judge_file(real("ca-certificates", entry["file"]), "--ca-dir", CA_FOLDER)
    assert outcome.status == 1 and outcome.json["chain"] == "invalid" and "ek_is_ca" in outcome.problems


@pytest.mark.parametrize("file", ["Intel_pc1.cer", "Intel_pc4.cer", "lenovo.cer", "plat_cert3.cer"])
def test_platform_certificate_is_called_what_it_is(file):
    outcome = judge_file(real("go-attestation", "attributecert", file))
    assert outcome.status == 1 and outcome.json["chain"] == "invalid" and set(outcome.json) == FIELDS
    assert outcome.problems == {"attribute_certificate"} and "attribute certificate" in outcome.stderr


def test_unknown_issuer_is_named():
    outcome = judge_file(real("ek-certificates", "intel_glk_ecc_p256.der"), "--ca-dir", CA_FOLDER)
    assert "TPM EK intermediate for GLK_EPID_PROD pid:7" in outcome.json["problems"][0]
    outcome = judge_file(real("ek-certificates", "ifx_slb9665_053e_ca029.der"))
    assert outcome.json["chain"] == "untrusted" and "Manufacturing CA 029" in outcome.json["problems"][0]


def test_manufacturer_is_shown_in_words():
    outcome = evidence("ek", real("ek-certificates", "ntc_npct75x_keylime.der"), "--ca-dir", CA_FOLDER)
    assert outcome.status == 0 and re.search(r"^Manufacturer +Nuvoton \(id:4E544300\)$", outcome.stdout, re.M)


def test_hashes_are_those_of_the_public_key(tmp_path):
    certificate = real("ek-certificates", "ifx_slb9670_0728_ca007.der")
    pem = run("openssl", "x509", "-inform", "DER", "-in", certificate, "-noout", "-pubkey").stdout
    spki = base64.b64decode("".join(pem.splitlines()[1:-1]))
    said = judge_file(certificate).json
    assert said["public_hash"] == hashlib.sha256(spki).hexdigest()
    assert said["fingerprint"] == hashlib.sha384(spki).hexdigest()
    (tmp_path / "key.pem").write_text(pem)
    (tmp_path / "key.der").write_bytes(spki)
    run("openssl", "rsa", "-pubin", "-in", str(tmp_path / "key.pem"), "-RSAPublicKey_out", "-out", str(tmp_path / "rsa.pem"))
    run("openssl", "rsa", "-pubin", "-in", str(tmp_path / "key.pem"), "-RSAPublicKey_out", "-outform", "DER", "-out", str(tmp_path / "rsa.der"))
    for name in ("key.pem", "key.der", "rsa.pem", "rsa.der"):
        bare = judge_file(str(tmp_path / name))
        assert bare.status == 1 and bare.json["chain"] == "untrusted" and bare.problems == {"no_certificate"}
        assert bare.json["fingerprint"] == said["fingerprint"] and bare.json["manufacturer"] is None


# -- forms of files --------------------------------------------------------------------------------------------------------

@pytest.fixture(scope="module")
def mint():
    made = Mint()
    yield made
    made.remove()


class Bench:
    """Files for one test."""

    def __init__(self, folder):
        self.folder = folder
        self.ca_folder = folder / "ca"
        self.ca_folder.mkdir()

    def write(self, content, name="ek"):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def trust(self, *ders):
        for certificate in ders:
            (self.ca_folder / f"{len(os.listdir(self.ca_folder))}.der").write_bytes(certificate)

    def judge(self, content, *options):
        return judge_file(self.write(content), "--ca-dir", str(self.ca_folder), *options)

    def assert_trusted(self, content, *options):
        outcome = self.judge(content, *options)
        assert outcome.status == 0 and outcome.json["chain"] == "trusted", outcome
        return outcome

    def assert_invalid(self, content, *problems):
        outcome = self.judge(content)
        assert outcome.status == 1 and outcome.json["chain"] == "invalid" and outcome.json["anchor"] is None, outcome
        assert set(problems) <= outcome.problems, outcome
        return outcome


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


@pytest.fixture
def rooted(bench, mint):
    """With a root called Root."""
    bench.trust(mint.ca("Root"))
    return bench


def pem(certificate, label="CERTIFICATE"):
    return f"-----BEGIN {label}-----\n{base64.encodebytes(certificate).decode()}-----END {label}-----\n"


def wrappings(ek):
    url = base64.urlsafe_b64encode(ek).decode()
    size = len(ek)
    return {
        "der": ek,
        "pem": pem(ek),
        "pem with text before": "0 s:CN = EK\r\n" + pem(ek).replace("\n", "\r\n"),
        "old pem": pem(ek, "X509 CERTIFICATE"),
        "base64": base64.encodebytes(ek),
        "base64 on one line": base64.b64encode(ek),
        "base64url": url,
        "base64url without padding": url.rstrip("="),
        "hexadecimal": ek.hex(),
        "json of intel's service": json.dumps({"pubhash": "x", "certificate": url}),
        "json with percent signs": json.dumps({"certificate": url.rstrip("=") + "%3D" * (-size % 3)}),
        "json with pem": json.dumps({"certificate": pem(ek)}),
        "padded with ff": ek + b"\xff" * 400,
        "padded with 00": ek + b"\x00" * 400,
        "tcg header of 5 bytes": b"\x10\x01\x00" + size.to_bytes(2, "big") + ek,
        "tcg header of 7 bytes": b"\x10\x01\x00" + (size + 2).to_bytes(2, "big") + b"\x10\x02" + ek + b"\xff" * 9,
        "octet string": x.der(0x04, ek),
        "octet string with padding": x.der(0x04, ek) + b"\xff" * 20,
        "base64 of an nv image": base64.b64encode(ek + b"\xff" * 300),
        "byte order mark": b"\xef\xbb\xbf" + pem(ek).encode(),
        "utf-16 of windows": b"\xff\xfe" + pem(ek).replace("\n", "\r\n").encode("utf-16-le"),
        "indented pem": "certificate: |\n" + pem(ek).replace("-----BEGIN", "  -----BEGIN").replace("\n", "\n  "),
        "pem on one line": pem(ek).replace("\n", " "),
        "pem with \\n": json.dumps(pem(ek)),
        "hexadecimal with colons": ":".join(f"{byte:02X}" for byte in ek),
        "hexadecimal as in source code": ", ".join(f"0x{byte:02x}" for byte in ek),
        "quoted base64": f'"{base64.b64encode(ek).decode()}"',
        "json of google cloud": json.dumps({"encryptionKey": {"ekCert": pem(ek)}, "kind": "compute", "signingKey": {"ekCert": "x"}}),
        "json of keylime's registrar": json.dumps({"code": 200, "results": {"ekcert": base64.b64encode(ek).decode()}}),
    }


def test_certificate_is_found_in_every_form(rooted, mint):
    ek = mint.ek("Root")
    plain = rooted.assert_trusted(ek).json
    for form, content in wrappings(ek).items():
        said = rooted.assert_trusted(content).json
        for field in FIELDS:
            assert said[field] == plain[field], form


def test_standard_input_is_read(rooted, mint):
    outcome = evidence("ek", "-", "--json", "--ca-dir", str(rooted.ca_folder), stdin=mint.ek("Root"))
    assert outcome.status == 0, outcome


def test_both_certificates_of_an_nv_area_are_judged(rooted, mint):
    rsa, ecc = mint.ek("Root"), mint.ek("Root", "P-384")
    for area in (rsa + ecc, rsa + b"\xff" * 100 + ecc + b"\x00" * 7, pem(rsa) + pem(ecc)):
        said = rooted.assert_trusted(area).json
        assert said["key"] == "RSA-2048"
        assert [(one["key"], one["chain"]) for one in said["also"]] == [("P-384", "trusted")]
    said = rooted.assert_trusted(ecc + rsa).json
    assert said["key"] == "P-384" and said["also"][0]["key"] == "RSA-2048"


def test_bundle_with_intermediates_completes_the_path_in_any_order(rooted, mint):
    middle, low = mint.ca("Middle", "Root"), mint.ca("Low", "Middle")
    ek = mint.ek("Low")
    assert rooted.judge(ek).json["chain"] == "untrusted"
    rooted.assert_trusted(pem(ek) + pem(low) + pem(middle))
    rooted.assert_trusted(pem(middle) + pem(low) + pem(ek))
    rooted.assert_trusted(ek + low + middle + b"\xff" * 10)


def test_what_is_no_ek_material_in_a_bundle_is_passed_over(rooted, mint):
    ek, middle = mint.ek("Middle"), mint.ca("Middle", "Root")
    crl = pem(b"\x30\x03\x02\x01\x01", "X509 CRL")
    rooted.assert_trusted("Bag Attributes\n  friendlyName: EK\n" + crl + pem(ek) + crl + pem(middle) + crl)
    # Nor does a later block undo an earlier one, whatever it is wrapped in.
    rooted.assert_trusted(pem(ek) + pem(middle + b"\xff" * 20))
    assert rooted.judge(crl).status == 2
    assert rooted.judge(pem(ek) + pem(middle)[:-60]).status == 2


def test_root_beside_the_certificate_is_not_believed(bench, mint):
    outcome = bench.judge(pem(mint.ek("Root")) + pem(mint.ca("Root")))
    assert outcome.status == 1 and outcome.json["chain"] == "untrusted"


def test_folders_hold_anything(tmp_path, mint):
    top = tmp_path / "vendor"
    (top / "Roots").mkdir(parents=True)
    (top / "Intermediates").mkdir()
    root, middle, other = mint.ca("Root"), mint.ca("Middle", "Root"), mint.ca("Other")
    (top / "Roots" / "bundle.txt").write_text("Vendor roots\n" + pem(other) + "\nand\n" + pem(root) + pem(b"0\x03abc", "X509 CRL"))
    (top / "Intermediates" / "middle.cer").write_text(base64.b64encode(middle).decode())
    (top / "README").write_text("hello")
    (top / "broken.der").write_bytes(root[:-5])
    (top / "broken.pem").write_text(pem(root)[:-60])
    (top / "empty").write_bytes(b"")
    (top / ".hidden").write_text("hello")
    ek = tmp_path / "ek.der"
    ek.write_bytes(mint.ek("Middle"))
    outcome = judge_file(str(ek), "--ca-dir", str(top))
    assert outcome.status == 0 and outcome.json["anchor"] == "/CN=Root", outcome
    warned = [line for line in outcome.stderr.splitlines() if "warning" in line]
    assert {os.path.basename(line.split(": ")[2]) for line in warned} == {"README", "broken.der", "broken.pem", "empty", "bundle.txt"}
    assert judge_file(str(ek), "--ca-dir", str(top / "Roots"), "--ca-dir", str(top / "Intermediates")).status == 0
    missing = judge_file(str(ek), "--ca-dir", str(top / "nowhere"))
    assert missing.status == 2 and "nowhere" in missing.stderr


def test_links_deep_folders_and_devices_are_passed_over(bench, mint):
    deep = bench.ca_folder
    for level in range(10):
        deep = deep / f"level{level}"
        deep.mkdir()
    (deep / "deep.der").write_bytes(mint.ca("Root"))
    os.symlink(bench.ca_folder, bench.ca_folder / "loop")
    os.symlink("nowhere", bench.ca_folder / "dangling")
    os.mkfifo(bench.ca_folder / "pipe")
    (bench.ca_folder / "huge").write_bytes(b"")
    os.truncate(bench.ca_folder / "huge", 5 << 20)
    outcome = bench.judge(mint.ek("Root"))
    assert outcome.problems == {"issuer_unknown"}
    for said in ("level8: too many folders", "dangling: a link that leads to nothing", "huge: It is longer"):
        assert said in outcome.stderr, outcome
    (bench.ca_folder / "loop" / "level0" / "root.der").write_bytes(mint.ca("Root"))
    bench.assert_trusted(mint.ek("Root"))


def test_a_thousand_cas_are_looked_through(bench, mint):
    certificate = mint.ca("Somebody")
    at = certificate.index(b"Somebody")
    second = certificate.index(b"Somebody", at + 1)
    for number in range(999):  # other names, whose signatures nobody asks for
        name = b"CA %05d" % number
        other = certificate[:at] + name + certificate[at + 8:second] + name + certificate[second + 8:]
        (bench.ca_folder / f"{number}.der").write_bytes(other)
    (bench.ca_folder / "root.der").write_bytes(mint.ca("Root"))
    bench.assert_trusted(mint.ek("Root"))
    assert bench.judge(mint.ek("Somebody")).problems == {"issuer_unknown"}


@pytest.mark.parametrize("path, said", [("/nonexistent", "no such file"), ("/", "no file that can be read"), ("/dev/zero", "longer")])
def test_file_that_cannot_be_read_is_said(path, said):
    outcome = judge_file(path)
    assert outcome.status == 2 and said in outcome.stderr, outcome


def test_pkcs7_bag_of_cas_is_opened(bench, mint):
    for number, certificate in enumerate((mint.ca("Root"), mint.ca("Middle", "Root"))):
        bench.write(pem(certificate), f"ca{number}.pem")
    run("openssl", "crl2pkcs7", "-nocrl", "-certfile", str(bench.folder / "ca0.pem"), "-certfile", str(bench.folder / "ca1.pem"),
        "-outform", "DER", "-out", str(bench.ca_folder / "bag.p7b"))
    with open(bench.ca_folder / "bag.p7b", "rb") as file:
        bag = file.read()
    bench.assert_trusted(mint.ek("Middle"))
    for form in (pem(bag, "PKCS7"), pem(bag, "PKCS #7 SIGNED DATA"), pem(bag), base64.b64encode(bag), bag + mint.ca("Other"), bag + b"\r\n"):
        (bench.ca_folder / "bag.p7b").write_bytes(form if isinstance(form, bytes) else form.encode())
        assert bench.assert_trusted(mint.ek("Middle")).json["anchor"] == "/CN=Root"


def test_chain_in_a_pkcs7_bag_is_read(rooted, mint):
    ek, middle = mint.ek("Middle"), mint.ca("Middle", "Root")
    bundle = rooted.write(pem(middle) + pem(ek), "bundle.pem")
    for form in ("DER", "PEM"):
        run("openssl", "crl2pkcs7", "-nocrl", "-certfile", bundle, "-outform", form, "-out", str(rooted.folder / "bag"))
        said = rooted.assert_trusted((rooted.folder / "bag").read_bytes()).json
        assert said["key"] == "RSA-2048" and said["manufacturer"] == "id:4E544300"
    run("openssl", "crl2pkcs7", "-nocrl", "-certfile", rooted.write(pem(middle), "cas.pem"), "-outform", "DER",
        "-out", str(rooted.folder / "bag"))
    assert "ek_is_ca" in rooted.judge((rooted.folder / "bag").read_bytes()).problems


def test_what_follows_a_ca_certificate_is_warned_about(bench, mint):
    (bench.ca_folder / "root.cer").write_bytes(mint.ca("Root") + b"\r\nhello")
    outcome = bench.assert_trusted(mint.ek("Root"))
    assert "root.cer: parts of it are no certificate" in outcome.stderr


UNREADABLE = {
    "empty": (b"", None, ""),
    "padding only": (b"\xff" * 100, 0, "empty"),
    "text": (b"hello, this is no certificate", 0, ""),
    "trailing byte": (lambda ek: ek + b"x", -1, ""),
    "cut short": (lambda ek: ek[:-10], -1, "end inside"),
    "crl": (lambda ek: x.sequence(x.sequence(x.ALGORITHMS["EC", "sha256"], x.common_name("CA"), x.moment("20200101000000Z")),
                                  x.ALGORITHMS["EC", "sha256"], x.bits(b"12345678")), 0, "revocation list"),
    "json without certificate": (b'{"error": "not found"}', None, "field_missing"),
    "damaged pem": (lambda ek: pem(ek).replace("A", "*"), 0, "PEM"),
}


@pytest.mark.parametrize("case", UNREADABLE)
def test_unreadable_file_is_answered_with_the_byte_and_the_reason(bench, mint, case):
    content, offset, said = UNREADABLE[case]
    ek = mint.ek("Root")
    content = content(ek) if callable(content) else content
    outcome = bench.judge(content)
    assert outcome.status == 2 and outcome.stdout == "" and said in outcome.stderr, outcome
    if offset is not None:
        wanted = (len(ek) if case == "trailing byte" else len(content)) if offset < 0 else offset
        assert f"at byte {wanted}:" in outcome.stderr, outcome


def test_certificate_broken_inside_is_answered_with_the_field(bench, mint):
    ek = mint.ek("Root")
    issuer = x.common_name("Root")
    at = ek.index(issuer)
    broken = ek[:at + 2] + b"\x30" + ek[at + 3:]  # the RDN is no SET
    outcome = bench.judge(broken)
    assert outcome.status == 2 and "issuer" in outcome.stderr and f"at byte {at}:" in outcome.stderr, outcome


def test_serial_number_dates_and_lengths_that_cannot_be_read_are_pointed_at(bench, mint, monkeypatch):
    long_serial = mint.ek("Root", serial=1 << 560)
    cases = [(long_serial, long_serial.index(x.integer(1 << 560)), "serial number")]
    plain = mint.ek("Root")
    cases.append((b"\x30\x80" + plain[4:] + b"\0\0", 1, "indefinite"))
    moment = x.moment
    monkeypatch.setattr(x, "moment", lambda when: x.der(0x17, when[2:14].encode()))  # no Z
    dateless = mint.ek("Root")
    cases.append((dateless, dateless.index(x.sequence(x.moment("20200101000000Z"), x.moment("20300101000000Z"))), "validity"))
    monkeypatch.setattr(x, "moment", moment)
    for content, offset, said in cases:
        outcome = bench.judge(content)
        assert outcome.status == 2 and said in outcome.stderr and f"at byte {offset}:" in outcome.stderr, outcome


def test_private_key_and_request_are_called_what_they_are(bench, mint):
    key = mint.key("ek rsa2048", "rsa2048")
    with open(key.path) as file:
        assert "private key" in bench.judge(file.read()).stderr
    request = run("openssl", "req", "-new", "-key", key.path, "-subj", "/CN=x").stdout
    outcome = bench.judge(request)
    assert outcome.status == 2 and "request" in outcome.stderr, outcome


# -- keys of a TPM ---------------------------------------------------------------------------------------------------------

def test_public_areas_are_read_and_one_that_is_no_ek_is_refused(bench):
    tpm = Tpm()
    try:
        tpm.tool("tpm2_createek", "-G", "rsa", "-u", "ek.pub", "-c", "ek.ctx")
        tpm.tool("tpm2_createek", "-G", "ecc", "-u", "ecc.pub", "-c", "ecc.ctx")
        tpm.tool("tpm2_readpublic", "-c", "ek.ctx", "-f", "pem", "-o", "ek.pem")
        tpm.tool("tpm2_flushcontext", "-t")
        tpm.tool("tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "srk.ctx")
        tpm.tool("tpm2_create", "-C", "srk.ctx", "-G", "rsa2048:rsassa:null", "-a",
                 "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign", "-u", "sign.pub", "-r", "sign.priv")
        tpm2b, ecc, signing = (tpm.read(name) for name in ("ek.pub", "ecc.pub", "sign.pub"))
        key = bench.judge(tpm.read("ek.pem")).json
    finally:
        tpm.remove()
    for content in (tpm2b, tpm2b[2:], tpm2b.hex(), base64.b64encode(tpm2b[2:])):
        outcome = bench.judge(content)
        assert outcome.status == 1 and outcome.problems == {"no_certificate"}
        assert outcome.json["fingerprint"] == key["fingerprint"] and outcome.json["key"] == "RSA-2048"
    assert bench.judge(ecc).json["key"] == "P-256"
    outcome = bench.judge(signing)
    assert outcome.status == 1 and outcome.problems == {"ek_template_unsupported", "no_certificate"}


# -- ways to a root --------------------------------------------------------------------------------------------------------

def chain_of(mint, count, **options):
    """Intermediates called Step 1 (below Root) to Step `count`."""
    return [mint.ca(f"Step {i}", f"Step {i - 1}" if i > 1 else "Root", **options) for i in range(1, count + 1)]


def test_eight_intermediates_are_walked_and_nine_are_too_many(rooted, mint):
    steps = chain_of(mint, 9)
    rooted.trust(*steps)
    rooted.assert_trusted(mint.ek("Step 8"))
    rooted.assert_invalid(mint.ek("Step 9"), "path_length")


def test_cross_signed_root_leads_to_the_other_root(bench, mint):
    bench.trust(mint.ca("Old root"), mint.ca("New root", "Old root"))
    assert bench.assert_trusted(mint.ek("New root")).json["anchor"] == "/CN=Old root"
    bench.trust(mint.ca("New root"))
    assert bench.assert_trusted(mint.ek("New root")).json["anchor"] == "/CN=New root"


def test_ca_of_the_same_name_with_another_key_is_tried_too(bench, mint):
    twin = mint.ca("Twin", subject=x.common_name("Root"), named=x.common_name("Root"))
    bench.trust(twin)
    bench.assert_invalid(mint.ek("Root"), "signature")
    bench.trust(mint.ca("Root"))
    bench.assert_trusted(mint.ek("Root"))
    bench.assert_trusted(mint.ek("Twin", named=x.common_name("Root")))


def test_namesake_of_a_cas_issuer_is_another_ca(bench, mint):
    """AMD has two roots of one name: with the wrong one of them the issuer of an intermediate is unknown, and nothing is forged."""
    subject_id = lambda value: x.extension("2.5.29.14", x.der(0x04, value))
    authority_id = x.extension("2.5.29.35", x.sequence(x.der(0x80, b"this one")))
    twin = {"subject": x.common_name("Root"), "named": x.common_name("Root")}
    middle = mint.ca("Middle", "Root", extensions=x.ca_extensions() + [authority_id])
    direct = mint.ek("Root", extensions=x.ek_extensions() + [authority_id])
    bench.trust(middle, mint.ca("Twin", extensions=x.ca_extensions() + [subject_id(b"that one")], **twin))
    outcome = bench.judge(mint.ek("Middle"))
    assert outcome.json["chain"] == "untrusted" and outcome.problems == {"issuer_unknown"} and "CN=Root" in outcome.json["problems"][0]
    bench.assert_invalid(direct, "signature")  # what a node shows may be forged, whatever it says there
    bench.trust(mint.ca("Triplet", extensions=x.ca_extensions() + [subject_id(b"this one")], **twin))
    bench.assert_invalid(mint.ek("Middle"), "signature")  # the one that it names did not sign it
    bench.trust(mint.ca("Root", extensions=x.ca_extensions() + [subject_id(b"renewed")]))
    for ek in (mint.ek("Middle"), direct):
        bench.assert_trusted(ek)  # the signature counts


def test_key_identifiers_need_not_match(rooted, mint):
    authority = x.extension("2.5.29.35", x.sequence(x.der(0x80, b"another key")))
    rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions() + [authority]))


def test_key_identifier_finds_the_one_ca_among_very_many_of_its_name(bench, mint):
    for serial in range(70):
        bench.trust(mint.ca("Twin", subject=x.common_name("Root"), named=x.common_name("Root"), serial=serial))
    subject_id = x.extension("2.5.29.14", x.der(0x04, b"this one"))
    authority_id = x.extension("2.5.29.35", x.sequence(x.der(0x80, b"this one")))
    bench.trust(mint.ca("Root", extensions=x.ca_extensions() + [subject_id]))
    bench.assert_invalid(mint.ek("Root"), "signature")  # there is an end to what is tried
    bench.assert_trusted(mint.ek("Root", extensions=x.ek_extensions() + [authority_id]))


def test_issuer_is_compared_as_a_name_and_not_as_bytes(bench, mint):
    written = x.name((x.C, "TW"), (x.O, "Nuvoton  Technology Corporation"), (x.CN, "NTC Root"), tag=x.PRINTABLE)
    bench.trust(mint.ca("Root", subject=written, named=written))
    same = [x.name((x.C, "TW"), (x.O, "Nuvoton Technology Corporation"), (x.CN, "NTC Root")),
            x.name((x.C, "tw"), (x.O, " NUVOTON technology corporation "), (x.CN, "ntc root"), tag=x.BMP)]
    for issuer in same:
        bench.assert_trusted(mint.ek("Root", named=issuer))
    for issuer in (x.name((x.C, "TW"), (x.CN, "NTC Root"), (x.O, "Nuvoton Technology Corporation")),
                   x.name((x.C, "TW"), (x.O, "Nuvoton Technology"), (x.CN, "NTC Root"))):
        assert bench.judge(mint.ek("Root", named=issuer)).problems == {"issuer_unknown"}


def test_unsorted_and_multi_valued_names_are_accepted(bench, mint):
    unsorted = x.name([(x.O, "Nuvoton Technology Corporation"), (x.CN, "NTC Root"), (x.C, "TW")])
    bench.trust(mint.ca("Root", subject=unsorted, named=unsorted))
    said = bench.assert_trusted(mint.ek("Root", named=unsorted)).json
    assert "unsorted name" in said["quirks"]


def test_path_length_counts_cas_that_are_not_self_issued(bench, mint):
    bench.trust(mint.ca("Root", extensions=x.ca_extensions(pathlen=0)))
    bench.assert_trusted(mint.ek("Root"))
    rollover = mint.ca("Root rolled over", "Root", subject=x.common_name("Root"))
    bench.trust(rollover)
    bench.assert_trusted(mint.ek("Root rolled over", named=x.common_name("Root")))
    bench.trust(mint.ca("Middle", "Root"))
    bench.assert_invalid(mint.ek("Middle"), "path_length")


def test_name_constraints_hold_for_everything_below(bench, mint):
    allowed = x.permitted_directory(x.name((x.O, "Vendor")))
    bench.trust(mint.ca("Root", extensions=x.ca_extensions() + [allowed]))
    inside = x.name((x.O, "Vendor"), (x.CN, "Inside"))
    outside = x.name((x.O, "Someone"), (x.CN, "Outside"))
    bench.trust(mint.ca("Inside", "Root", subject=inside), mint.ca("Outside", "Root", subject=outside))
    plain = [extension for extension in x.ek_extensions(san=x.extension("2.5.29.17", x.sequence(x.der(0xa4, inside)), True))]
    bench.assert_trusted(mint.ek("Inside", named=inside, extensions=plain))
    bench.assert_invalid(mint.ek("Outside", named=outside, extensions=plain), "name_constraint")
    bench.assert_invalid(mint.ek("Inside", named=inside), "name_constraint")  # the TPM's name is not below O=Vendor


@pytest.mark.parametrize("kind", ["rsa2048", "rsa3072", "rsa4096", "P-256", "P-384", "P-521"])
def test_every_kind_of_key_is_accepted(rooted, mint, kind):
    said = rooted.assert_trusted(mint.ek("Root", kind)).json
    assert said["key"] == kind.replace("rsa", "RSA-")


@pytest.mark.parametrize("kind", ["rsa1024", "P-224", "secp256k1"])
def test_other_keys_are_shown_and_refused(rooted, mint, kind):
    said = rooted.assert_invalid(mint.ek("Root", kind), "ek_key").json
    assert said["key"] == "unsupported" and said["manufacturer"] == "id:4E544300"


def explicit_key(mint, label):
    """A P-256 key whose curve is spelled out in its SubjectPublicKeyInfo, as a key of the mint's."""
    key = mint.key(label)
    run("openssl", "ec", "-in", key.path, "-pubout", "-param_enc", "explicit", "-outform", "DER", "-out", key.path + ".explicit")
    with open(key.path + ".explicit", "rb") as file:
        key.spki = file.read()
    return key


P256_GENERATOR = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                               "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")


def test_curve_that_is_spelled_out_must_be_a_known_one(rooted, mint):
    key = explicit_key(mint, "Spelled out")
    rooted.trust(mint.ca("Spelled out", "Root"))
    rooted.assert_trusted(mint.ek("Spelled out"))
    said = rooted.assert_trusted(mint.ek("Root", "P-256", spki=key.spki)).json
    assert said["key"] == "P-256"
    named = run("openssl", "pkey", "-in", key.path, "-pubout").stdout
    assert rooted.judge(named).json["fingerprint"] == said["fingerprint"]  # one key, one identity
    assert P256_GENERATOR in key.spki
    point = key.spki[-65:]
    key.spki = key.spki.replace(P256_GENERATOR, point)  # its own public key as generator: anybody knows a private one
    assert rooted.assert_invalid(mint.ek("Root", "P-256", spki=key.spki), "ek_key").json["key"] == "unsupported"
    (rooted.ca_folder / "1.der").write_bytes(mint.ca("Spelled out", "Root"))
    assert rooted.assert_invalid(mint.ek("Spelled out")).problems == {"issuer_key"}


def test_pss_signatures_are_verified(bench, mint):
    bench.trust(mint.ca("RSA root", kind="rsa2048"))
    ek = mint.ek("RSA root", pss=True)
    bench.assert_trusted(ek)
    bench.assert_invalid(ek[:-1] + bytes([ek[-1] ^ 1]), "signature")


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_accepted_hashes(rooted, mint, digest):
    rooted.assert_trusted(mint.ek("Root", digest=digest))


def test_sha1_is_refused_on_the_whole_way(rooted, mint):
    rooted.assert_invalid(mint.ek("Root", digest="sha1"), "weak_signature")
    rooted.trust(mint.ca("Weak", "Root", digest="sha1"))
    rooted.assert_invalid(mint.ek("Weak"), "weak_signature")


def test_signature_algorithms_must_be_the_same_twice(rooted, mint):
    other = x.ALGORITHMS["EC", "sha384"]
    rooted.assert_invalid(mint.ek("Root", inner=other), "signature")
    assert rooted.judge(mint.ek("Root", outer=other)).json["chain"] == "invalid"


# -- what an EK certificate must be ------------------------------------------------------------------------------------------

def test_ca_and_ak_and_server_are_no_ek(rooted, mint):
    rooted.assert_invalid(mint.ek("Root", extensions=[x.basic_constraints(True), *x.ek_extensions()[1:]]), "ek_is_ca")
    rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions("digitalSignature")), "ek_key_usage")
    rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions(purpose=x.AK_PURPOSE)), "ek_purpose")
    rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions(purpose=x.SERVER_PURPOSE)), "ek_purpose")
    both = [x.basic_constraints(), x.key_usage("digitalSignature", "keyEncipherment"), *x.ek_extensions()[2:]]
    rooted.assert_invalid(mint.ek("Root", extensions=both), "ek_key_usage")


def test_everything_that_is_wrong_is_said(rooted, mint):
    extensions = [x.basic_constraints(True), x.key_usage("digitalSignature"), x.purposes(x.AK_PURPOSE), x.specification("1.2")]
    rooted.assert_invalid(mint.ek("Root", extensions=extensions, start="20990101000000Z", end="21000101000000Z"),
                          "ek_is_ca", "ek_key_usage", "ek_purpose", "ek_of_tpm_1_2", "ek_not_yet_valid")


def test_unknown_critical_extension_is_refused_and_another_is_not(rooted, mint):
    value = x.der(0x05)
    rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions() + [x.extension("1.2.3.4", value)]))
    rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions() + [x.extension("1.2.3.4", value, True)]), "ek_extension")


HARMLESS = {
    "subject key identifier": x.extension("2.5.29.14", x.der(0x04, b"key"), True),
    "authority key identifier": x.extension("2.5.29.35", x.sequence(x.der(0x80, b"key")), True),
    "issuer's alternative name": x.extension("2.5.29.18", x.sequence(x.der(0x86, b"http://vendor")), True),
    "authority information": x.extension("1.3.6.1.5.5.7.1.1", x.sequence(x.sequence(x.oid("1.3.6.1.5.5.7.48.2"), x.der(0x86, b"http://ca"))), True),
}


@pytest.mark.parametrize("extension", HARMLESS)
def test_critical_extension_that_asks_nothing_of_a_verifier_is_accepted(bench, mint, extension):
    bench.trust(mint.ca("Root", extensions=x.ca_extensions() + [HARMLESS[extension]]))
    bench.assert_trusted(mint.ek("Root", extensions=x.ek_extensions() + [HARMLESS[extension]]))


@pytest.mark.parametrize("kind, value", [("2.5.29.31", x.sequence(x.der(0x05))), ("2.5.29.35", x.der(0x04)), ("2.5.29.14", x.der(0x05))])
def test_malformed_extension_is_called_that_and_nothing_else(rooted, mint, kind, value):
    outcome = rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions() + [x.extension(kind, value)]))
    assert outcome.problems == {"ek_extension"}


def test_explicit_false_and_critical_directory_attributes_are_accepted(rooted, mint):
    rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions(spec=x.specification(critical=False))))
    rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions(spec=x.specification(critical=True))))


@pytest.mark.parametrize("tag", [x.UTF8, x.PRINTABLE, x.BMP, x.IA5])
@pytest.mark.parametrize("single_rdn", [False, True])
def test_attributes_are_read_in_every_encoding(rooted, mint, tag, single_rdn):
    said = rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions(san=x.tpm_name(tag=tag, single_rdn=single_rdn)))).json
    assert (said["manufacturer"], said["model"], said["version"]) == ("id:4E544300", "NPCT75x", "id:00070002")


def test_long_attributes_are_kept(rooted, mint):
    said = rooted.assert_trusted(mint.ek("Root", extensions=x.ek_extensions(san=x.tpm_name(model="M" * 200)))).json
    assert said["model"] == "M" * 200
    long_issuer = x.name((x.O, "o" * 100), (x.CN, "c" * 300))
    rooted.trust(mint.ca("Long", subject=long_issuer, named=long_issuer))
    rooted.assert_trusted(mint.ek("Long", named=long_issuer))


def test_key_under_rsaes_oaep_is_the_same_key(rooted, mint):
    key = mint.key("ek rsa2048", "rsa2048")
    plain = rooted.assert_trusted(mint.ek("Root")).json
    algorithm = x.sequence(x.oid("1.2.840.113549.1.1.1"), x.der(0x05))
    for oaep in (x.sequence(x.oid("1.2.840.113549.1.1.7"), x.sequence()), x.sequence(x.oid("1.2.840.113549.1.1.7"), x.der(0x05)),
                 x.sequence(x.oid("1.2.840.113549.1.1.7"))):
        assert algorithm in key.spki
        body = key.spki[key.spki.index(algorithm) + len(algorithm):]
        said = rooted.assert_trusted(mint.ek("Root", spki=x.sequence(oaep, body))).json
        assert said["fingerprint"] == plain["fingerprint"] and "key under id-RSAES-OAEP" in said["quirks"]


def test_family_of_the_specification_decides(rooted, mint):
    assert rooted.assert_trusted(mint.ek("Root")).json["family"] == "2.0"
    rooted.assert_invalid(mint.ek("Root", extensions=x.ek_extensions(spec=x.specification("1.2"))), "ek_of_tpm_1_2")


@pytest.mark.parametrize("serial, shown", [(0, "00"), (1, "01"), (-1, "-01"), (-0x1234, "-1234"), (0x80, "80"),
                                           (1 << 300, "10" + "00" * 37)])
def test_odd_serial_numbers_are_shown(rooted, mint, serial, shown):
    assert rooted.assert_trusted(mint.ek("Root", serial=serial)).json["serial_number"] == shown


def test_subject_may_be_empty_or_not(rooted, mint):
    assert rooted.assert_trusted(mint.ek("Root")).json["subject"] is None
    assert rooted.assert_trusted(mint.ek("Root", subject=x.common_name("TPM"))).json["subject"] == "/CN=TPM"


# -- time --------------------------------------------------------------------------------------------------------------------

def test_expired_factory_certificate_is_trusted_and_says_so(rooted, mint):
    outcome = rooted.assert_trusted(mint.ek("Root", end="20210101000000Z"))
    assert outcome.problems == {"expired"} and outcome.json["expired"]
    assert rooted.assert_trusted(mint.ek("Root", end="20210101000000Z"), "--at", "2020-06-01").problems == set()


def test_certificate_without_end_is_trusted(rooted, mint):
    assert rooted.assert_trusted(mint.ek("Root", end="99991231235959Z")).json["valid_until"].startswith("9999-12-31")


OTHER_TIMES = {
    "GeneralizedTime before 2050": lambda when: x.der(0x18, when.encode()),
    "UTCTime without seconds": lambda when: x.der(0x17, when[2:12].encode() + b"Z"),
    "UTCTime with an offset": lambda when: x.der(0x17, when[2:14].encode() + b"+0100"),
    "GeneralizedTime with a fraction": lambda when: x.der(0x18, when[:14].encode() + b".5Z"),
}


@pytest.mark.parametrize("form", OTHER_TIMES)
def test_times_are_read_in_other_forms_too(bench, mint, form, monkeypatch):
    monkeypatch.setattr(x, "moment", OTHER_TIMES[form])
    bench.trust(mint.ca("Root", end="20350101000000Z"))
    said = bench.assert_trusted(mint.ek("Root", end="20210601120000Z")).json
    assert said["expired"] and said["valid_until"].startswith("2021-06-01T1")
    bench.trust(mint.ca("Past", end="20150101000000Z"))
    bench.assert_invalid(mint.ek("Past"), "issuer_not_valid")


def test_time_decides_when_a_certificate_begins(rooted, mint):
    ek = mint.ek("Root")
    early = rooted.judge(ek, "--at", "2019-12-31T12:00:00Z")
    assert early.status == 1 and "ek_not_yet_valid" in early.problems
    for at in ("2020-01-01", "2020-01-01T00:00:00Z", "2019-12-31T20:00:00.5-05:00", "2029-06-30"):
        rooted.assert_trusted(ek, "--at", at)


def test_issuer_must_have_been_valid_when_it_issued(bench, mint):
    bench.trust(mint.ca("Root", start="20150101000000Z", end="20210101000000Z"))
    bench.assert_trusted(mint.ek("Root"))
    bench.assert_invalid(mint.ek("Root", start="20220101000000Z"), "issuer_not_valid")


@pytest.mark.parametrize("at", ["", "yesterday", "2020-13-01", "2021-02-29", "2020-01-01T00:00:00", "2020-01-01T24:00:00Z",
                                "1969-12-31", "2020-01-01Z", "2020-01-01T00:00:00Zx"])
def test_other_times_are_refused(bench, mint, at):
    outcome = bench.judge(mint.ek("Root"), "--at", at)
    assert outcome.status == 2 and "--at" in outcome.stderr


# -- version 1 roots ---------------------------------------------------------------------------------------------------------

def test_root_of_before_the_extensions_is_a_root_and_an_intermediate_is_none(bench, mint):
    bench.trust(mint.ca("Root", extensions=[], version=0))
    bench.assert_trusted(mint.ek("Root"))
    bench.trust(mint.ca("Middle", "Root", extensions=[], version=0))
    bench.assert_invalid(mint.ek("Middle"), "issuer_not_ca")


def test_certificate_of_swtpm_is_read(bench):
    tpm = Tpm()
    try:
        tpm.tool("tpm2_nvread", "0x1c00002", "-o", "ek.bin")
        content = tpm.read("ek.bin")
    finally:
        tpm.remove()
    said = bench.judge(content).json
    assert said["model"] == "swtpm" and said["chain"] == "untrusted" and said["family"] == "2.0"
