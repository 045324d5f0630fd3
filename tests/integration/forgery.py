"""What an attacker makes without a TPM: keys, EK certificates and TPM structures in software."""

import base64
import hashlib
import hmac
import os
import shutil

from appliance import run, temporary_folder

# TPMA_OBJECT, TPM 2.0 Part 2 section 8.3.
ATTRIBUTES = {"fixed_tpm": 1 << 1, "fixed_parent": 1 << 4, "sensitive_data_origin": 1 << 5, "restricted": 1 << 16,
              "decrypt": 1 << 17, "sign": 1 << 18}
AK_ATTRIBUTES = 0x00050072  # restricted, sign, userWithAuth, sensitiveDataOrigin, fixedParent, fixedTPM

EK_EXTENSIONS = """\
basicConstraints = critical,CA:FALSE
keyUsage = critical,keyEncipherment
extendedKeyUsage = 2.23.133.8.1
"""


def sized(data):
    """A TPM2B."""
    return len(data).to_bytes(2, "big") + data


def with_attributes(tpm2b_public, flipped):
    """The public area with one object attribute turned around; size, type and nameAlg come before them."""
    attributes = int.from_bytes(tpm2b_public[6:10], "big") ^ ATTRIBUTES[flipped]
    return tpm2b_public[:6] + attributes.to_bytes(4, "big") + tpm2b_public[10:]


def flip(data, bit):
    altered = bytearray(data)
    altered[bit // 8] ^= 1 << (bit % 8)
    return bytes(altered)


def spread(data, count):
    """`count` bits over all of data, in every place of a byte."""
    size = 8 * len(data)
    return sorted({(i * size // count + i) % size for i in range(count)})


class Workshop:
    """A folder in which openssl makes things."""

    def __init__(self):
        self.folder = temporary_folder("itl-forge-")

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, data):
        with open(self.path(name), "wb") as out:
            out.write(data if isinstance(data, bytes) else data.encode())
        return self.path(name)

    def openssl(self, *arguments):
        return run("openssl", *arguments, cwd=self.folder).stdout

    def key(self, name, *options):
        self.openssl("genpkey", *options, "-out", name + ".key")
        self.openssl("pkey", "-in", name + ".key", "-pubout", "-outform", "DER", "-out", name + ".spki")
        return self.read(name + ".spki")

    # -- endorsement keys in software -----------------------------------------------------------------------------

    def software_ek(self, name="ek"):
        """SubjectPublicKeyInfo of an RSA-2048 key that no TPM holds."""
        return self.key(name, "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")

    def certificate(self, name, ca_certificate=None, ca_key=None, public_pem=None):
        """An EK certificate in DER, with all that the profile asks, for NAME.key or the public key: self-signed or by the CA."""
        extensions = self.write("extensions", EK_EXTENSIONS)
        request = ("-new", "-subj", "/CN=unknown", "-days", "3650", "-sha256", "-extfile", extensions, "-outform", "DER",
                   "-out", name + ".crt")
        public = ("-force_pubkey", public_pem) if public_pem else ()
        if ca_certificate:
            if not public:
                self.openssl("pkey", "-in", name + ".key", "-pubout", "-out", name + ".pem")
                public = ("-force_pubkey", name + ".pem")
            self.openssl("x509", *request, *public, "-CA", ca_certificate, "-CAkey", ca_key, "-set_serial", "4711")
        else:
            self.openssl("x509", *request, *public, "-key", name + ".key")
        return self.read(name + ".crt")

    def namesake(self, certificate):
        """A CA that calls itself what the real one is called: its certificate and key."""
        subject = self.openssl("x509", "-in", certificate, "-noout", "-subject", "-nameopt", "RFC2253").strip()
        self.key("namesake", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048")
        self.openssl("req", "-x509", "-new", "-key", "namesake.key", "-sha256", "-days", "3650", "-out", "namesake.pem",
                     "-subj", "/" + subject.removeprefix("subject=").strip())
        return self.path("namesake.pem"), self.path("namesake.key")

    # -- attestation keys in software --------------------------------------------------------------------------------

    def software_ak(self, name="ak"):
        """TPM2B_PUBLIC of a P-256 key in a file that claims to be a TPM's restricted signing key."""
        point = self.key(name, "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")[-64:]
        parameters = bytes.fromhex("0010" "0018000b" "0003" "0010")  # no symmetric, ECDSA SHA-256, P-256, no KDF
        area = (bytes.fromhex("0023" "000b") + AK_ATTRIBUTES.to_bytes(4, "big") + sized(b"") + parameters +
                sized(point[:32]) + sized(point[32:]))
        return sized(area)

    def sign(self, data, name="ak"):
        """DER ECDSA with SHA-256."""
        self.write("data", data)
        self.openssl("dgst", "-sha256", "-sign", name + ".key", "-out", "signature", "data")
        return self.read("signature")


    # -- credentials opened without a TPM ----------------------------------------------------------------------------

    def open_credential(self, credential, ak_pub, name="ek"):
        """What TPM2_ActivateCredential does, for NAME.key of RSA-2048 and an AK named by SHA-256 (TPM 2.0 Part 1 section 24).
        The AK's public area is all that it takes of the AK."""
        ak_name = bytes.fromhex("000b") + hashlib.sha256(ak_pub[2:]).digest()
        self.write("sealed", base64.b64decode(credential["encrypted_secret"])[2:])
        self.openssl("pkeyutl", "-decrypt", "-inkey", name + ".key", "-in", "sealed", "-out", "seed", "-pkeyopt",
                     "rsa_padding_mode:oaep", "-pkeyopt", "rsa_oaep_md:sha256", "-pkeyopt",
                     "rsa_oaep_label:" + b"IDENTITY\0".hex())
        key = kdfa(self.read("seed"), b"STORAGE", ak_name, 128)
        blob = base64.b64decode(credential["credential_blob"])[2:]
        mac = blob[2:2 + int.from_bytes(blob[:2], "big")]
        encrypted = blob[2 + len(mac):]
        mac_key = kdfa(self.read("seed"), b"INTEGRITY", b"", 256)
        assert hmac.digest(mac_key, encrypted + ak_name, "sha256") == mac
        self.write("encrypted", encrypted)
        self.openssl("enc", "-d", "-aes-128-cfb", "-K", key.hex(), "-iv", "00" * 16, "-in", "encrypted", "-out", "opened")
        return self.read("opened")[2:]


def kdfa(key, label, context, bits):
    """TPM 2.0 Part 1 section 11.4.10.2 with SHA-256, for at most one block of it."""
    block = hmac.digest(key, (1).to_bytes(4, "big") + label + b"\0" + context + bits.to_bytes(4, "big"), "sha256")
    return block[:bits // 8]


def ek_fields(der, fingerprint):
    return {"ek_cert_pem": base64.b64encode(der).decode(), "ek_source": "cert", "ek_fingerprint": fingerprint}
