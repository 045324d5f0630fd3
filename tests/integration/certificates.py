"""Certificates byte by byte: DER as vendors write it and as nobody should, signed by openssl."""

import os
import shutil

from appliance import run, temporary_folder

MANUFACTURER, MODEL, VERSION = "2.23.133.2.1", "2.23.133.2.2", "2.23.133.2.3"
SPECIFICATION = "2.23.133.2.16"
EK_PURPOSE, AK_PURPOSE, SERVER_PURPOSE = "2.23.133.8.1", "2.23.133.8.3", "1.3.6.1.5.5.7.3.1"
CN, O, C = "2.5.4.3", "2.5.4.10", "2.5.4.6"
UTF8, PRINTABLE, BMP, IA5 = 0x0c, 0x13, 0x1e, 0x16
KEY_USAGE = {"digitalSignature": 0, "keyEncipherment": 2, "keyAgreement": 4, "keyCertSign": 5, "cRLSign": 6}


# -- DER ---------------------------------------------------------------------------------------------------------------

def der(tag, *content):
    body = b"".join(content)
    if len(body) < 0x80:
        return bytes([tag, len(body)]) + body
    size = (len(body).bit_length() + 7) // 8
    return bytes([tag, 0x80 | size]) + len(body).to_bytes(size, "big") + body


def sequence(*content):
    return der(0x30, *content)


def integer(number):
    size = 1
    while not -(1 << 8 * size - 1) <= number < 1 << 8 * size - 1:
        size += 1
    return der(0x02, number.to_bytes(size, "big", signed=True))


def oid(dotted):
    first, second, *rest = map(int, dotted.split("."))
    out = bytearray()
    for arc in [40 * first + second, *rest]:
        digits = [arc & 0x7f]
        while arc := arc >> 7:
            digits.append(0x80 | arc & 0x7f)
        out += bytes(reversed(digits))
    return der(0x06, bytes(out))


def text(value, tag=UTF8):
    return der(tag, value.encode("utf-16-be" if tag == BMP else "utf-8"))


def moment(when):
    """UTCTime until 2049, as RFC 5280 wants it."""
    return der(0x17, when[2:].encode()) if when < "2050" else der(0x18, when.encode())


def bits(content, unused=0):
    return der(0x03, bytes([unused]), content)


# -- parts of certificates -----------------------------------------------------------------------------------------------

def entry(kind, value, tag=UTF8):
    return sequence(oid(kind), text(value, tag))


def name(*entries, tag=UTF8):
    """One RDN for each (type, value); a list of them is one multi-valued RDN in that order."""
    rdns = []
    for member in entries:
        members = member if isinstance(member, list) else [member]
        rdns.append(der(0x31, *(entry(kind, value, tag) for kind, value in members)))
    return sequence(*rdns)


def common_name(value, tag=UTF8):
    return name((CN, value), tag=tag)


def extension(kind, value, critical=None):
    """critical None leaves the BOOLEAN out; False writes it all the same, as Intel does."""
    flag = b"" if critical is None else der(0x01, b"\xff" if critical else b"\x00")
    return sequence(oid(kind), flag, der(0x04, value))


def basic_constraints(ca=False, pathlen=None):
    content = (der(0x01, b"\xff") if ca else b"") + (integer(pathlen) if pathlen is not None else b"")
    return extension("2.5.29.19", sequence(content), True)


def key_usage(*uses):
    value = 0
    for use in uses:
        value |= 0x80 >> KEY_USAGE[use]
    return extension("2.5.29.15", bits(bytes([value])), True)


def purposes(*kinds):
    return extension("2.5.29.37", sequence(*map(oid, kinds)))


def tpm_name(manufacturer="id:4E544300", model="NPCT75x", version="id:00070002", tag=UTF8, single_rdn=False):
    """subjectAltName with the TPM's own name in a directoryName."""
    entries = [(MANUFACTURER, manufacturer), (MODEL, model), (VERSION, version)]
    directory = name(entries, tag=tag) if single_rdn else name(*entries, tag=tag)
    return extension("2.5.29.17", sequence(der(0xa4, directory)), True)


def specification(family="2.0", level=0, revision=138, critical=None):
    value = sequence(text(family), integer(level), integer(revision))
    return extension("2.5.29.9", sequence(sequence(oid(SPECIFICATION), der(0x31, value))), critical)


def permitted_directory(directory):
    subtree = sequence(der(0xa4, directory))
    return extension("2.5.29.30", sequence(der(0xa0, subtree)), True)


def ek_extensions(use="keyEncipherment", purpose=EK_PURPOSE, san=None, spec=None):
    return [basic_constraints(), key_usage(use), purposes(purpose), san or tpm_name(), spec or specification()]


def ca_extensions(pathlen=None):
    return [basic_constraints(True, pathlen), key_usage("keyCertSign", "cRLSign")]


# -- signing -------------------------------------------------------------------------------------------------------------

ALGORITHMS = {
    ("EC", "sha256"): sequence(oid("1.2.840.10045.4.3.2")),
    ("EC", "sha384"): sequence(oid("1.2.840.10045.4.3.3")),
    ("EC", "sha512"): sequence(oid("1.2.840.10045.4.3.4")),
    ("EC", "sha1"): sequence(oid("1.2.840.10045.4.1")),
    ("RSA", "sha256"): sequence(oid("1.2.840.113549.1.1.11"), der(0x05)),
    ("RSA", "sha1"): sequence(oid("1.2.840.113549.1.1.5"), der(0x05)),
}
SHA256 = sequence(oid("2.16.840.1.101.3.4.2.1"), der(0x05))
PSS_SHA256 = sequence(oid("1.2.840.113549.1.1.10"),
                      sequence(der(0xa0, SHA256), der(0xa1, sequence(oid("1.2.840.113549.1.1.8"), SHA256)),
                               der(0xa2, integer(32))))


class Key:
    """One of openssl's, in a folder."""

    def __init__(self, folder, kind):
        self.path = os.path.join(folder, f"key{len(os.listdir(folder))}.pem")
        self.type = "RSA" if kind.startswith("rsa") else "EC"
        option = f"rsa_keygen_bits:{kind[3:]}" if self.type == "RSA" else f"ec_paramgen_curve:{kind}"
        run("openssl", "genpkey", "-algorithm", self.type, "-pkeyopt", option, "-out", self.path)
        run("openssl", "pkey", "-in", self.path, "-pubout", "-outform", "DER", "-out", self.path + ".spki")
        with open(self.path + ".spki", "rb") as file:
            self.spki = file.read()

    def sign(self, content, digest="sha256", pss=False):
        with open(self.path + ".tbs", "wb") as out:
            out.write(content)
        padding = ("-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32") if pss else ()
        run("openssl", "dgst", "-" + digest, "-sign", self.path, *padding, "-out", self.path + ".sig", self.path + ".tbs")
        with open(self.path + ".sig", "rb") as file:
            return file.read()


class Mint:
    """A folder with keys, each made once, in which certificates are issued."""

    def __init__(self):
        self.folder = temporary_folder("itl-mint-")
        self.keys = {}

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def key(self, label, kind="P-256"):
        if label not in self.keys:
            self.keys[label] = Key(self.folder, kind)
        return self.keys[label]

    def certificate(self, subject, spki, issuer, signer, extensions, serial=0x1234, digest="sha256", pss=False,
                    start="20200101000000Z", end="20300101000000Z", inner=None, outer=None, version=2):
        """DER. subject and issuer are names in DER; inner and outer replace the signature's AlgorithmIdentifier."""
        algorithm = PSS_SHA256 if pss else ALGORITHMS[signer.type, digest]
        tbs = sequence(der(0xa0, integer(version)) if version else b"", integer(serial), inner or algorithm, issuer,
                       sequence(moment(start), moment(end)), subject, spki,
                       der(0xa3, sequence(*extensions)) if extensions else b"")
        return sequence(tbs, outer or algorithm, bits(signer.sign(tbs, digest, pss)))

    def ca(self, label, issuer=None, kind="P-256", extensions=None, **options):
        """A CA called `label` below the CA called `issuer`, or its own."""
        key = self.key(label, kind)
        signer = self.key(issuer or label)
        options.setdefault("start", "20100101000000Z")
        options.setdefault("end", "20400101000000Z")
        return self.certificate(options.pop("subject", common_name(label)), key.spki,
                                options.pop("named", common_name(issuer or label)), signer,
                                ca_extensions() if extensions is None else extensions, **options)

    def ek(self, issuer, kind="rsa2048", extensions=None, **options):
        """An EK certificate from the CA called `issuer`."""
        key = self.key("ek " + kind, kind)
        use = "keyEncipherment" if key.type == "RSA" else "keyAgreement"
        return self.certificate(options.pop("subject", name()), options.pop("spki", key.spki),
                                options.pop("named", common_name(issuer)), self.key(issuer),
                                ek_extensions(use) if extensions is None else extensions, **options)
