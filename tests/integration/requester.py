"""A node's side of certificates, with openssl and tpm2-tools; and a look at what comes back."""

import base64
import hashlib
import os

from appliance import run
from hostile import b64


class Requester:
    """Keys and requests in the folder of a node's TPM; proofs by its AK."""

    KEYS = {"p384": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"),
            "p256": ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"),
            "rsa2048": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"),
            "rsa3072": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:3072"),
            "rsa1024": ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024")}

    def __init__(self, evidence, machine_id):
        self.evidence = evidence
        self.appliance = evidence.appliance
        self.machine_id = machine_id
        self.folder = evidence.tpm.folder

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        with open(self.path(name), "rb") as file:
            return file.read()

    def write(self, name, text):
        with open(self.path(name), "wb") as out:
            out.write(text if isinstance(text, bytes) else text.encode())
        return self.path(name)

    def openssl(self, *arguments, check=True):
        return run("openssl", *arguments, cwd=self.folder, check=check)

    # -- requests ------------------------------------------------------------------------------------------------------

    def key(self, kind="p384", name="node"):
        self.openssl("genpkey", *self.KEYS[kind], "-out", name + ".key")
        return name + ".key"

    def csr(self, kind="p384", name="node", subject="/CN=controlplane/OU=operator"):
        """DER of a request whose subject asks for more than it gets."""
        self.key(kind, name)
        self.openssl("req", "-new", "-key", name + ".key", "-subj", subject, "-outform", "DER", "-out", name + ".csr",
                     "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "subjectAltName=DNS:evil.example.org")
        return self.read(name + ".csr")

    def wrapping_key(self, kind):
        self.key(kind, "wrap")
        self.openssl("pkey", "-in", "wrap.key", "-pubout", "-outform", "DER", "-out", "wrap.spki")
        return self.read("wrap.spki")

    # -- proofs -----------------------------------------------------------------------------------------------------------

    def session_proof(self, bound):
        """A challenge opened, and a quote over its nonce and what the proof is for."""
        assert self.evidence.challenge().status == 200
        session = self.evidence.session
        proof = self.quote(base64.b64decode(session["nonce"]), bound)
        return dict(proof, session_id=session["session_id"], activated_secret=b64(self.evidence.activate()))

    def nonce_proof(self, bound):
        """A fresh nonce, and a quote by the AK that was activated before."""
        fresh = self.appliance.get("/api/v1/attest/challenge").json
        return dict(self.quote(base64.b64decode(fresh["nonce"]), bound), nonce_id=fresh["nonce_id"])

    def quote(self, nonce, bound):
        quote, signature = self.evidence.quote(hashlib.sha256(nonce + bound).digest())
        return {"pcr_quote": b64(quote), "pcr_signature": b64(signature)}

    # -- the endpoints ----------------------------------------------------------------------------------------------------

    def ask(self, body, machine_id=None):
        return self.appliance.post(f"/api/v1/machines/{machine_id or self.machine_id}/request-cert", body)

    def request(self, csr=None, **changes):
        csr = csr or self.csr()
        return self.ask(dict(self.nonce_proof(csr), csr_pem=b64(csr), **changes))

    def certificate(self, name="enrollment", **changes):
        """A certificate as a file; the answer it came in."""
        answer = self.request(**changes)
        assert answer.status == 200, answer
        self.write(name + ".pem", answer.json["enrollment_cert_pem"] or answer.json["svid_pem"])
        return answer.json

    def enroll_body(self, certificate="enrollment.pem", key="node.key", digest="sha384"):
        nonce = self.appliance.get("/api/v1/attest/challenge").json
        self.write("nonce", nonce["nonce"])
        self.openssl("dgst", "-" + digest, "-sign", key, "-out", "nonce.sig", "nonce")
        return {"cert_pem": self.read(certificate).decode(), "nonce_id": nonce["nonce_id"], "nonce": nonce["nonce"],
                "nonce_signature": b64(self.read("nonce.sig"))}

    def enroll(self, **changes):
        return self.appliance.post("/api/v1/machines/enroll", dict(self.enroll_body(), **changes))

    def over_tls(self, certificate="enrollment.pem", key="node.key"):
        """The settings of a client that shows this certificate in its handshake."""
        return self.appliance.context(self.path(certificate), self.path(key))

    def enroll_over_tls(self, **names):
        return self.appliance.post("/api/v1/machines/enroll", {}, context=self.over_tls(**names))

    def ask_self(self, **names):
        return self.appliance.get("/api/v1/machines/self", context=self.over_tls(**names))

    # -- what everybody may have ----------------------------------------------------------------------------------------------

    def fetch_pki(self):
        for name in ("enrollment-ca.pem", "enrollment-ca.crl"):
            answer = self.appliance.get("/pki/" + name)
            assert answer.status == 200, answer
            self.write(name, answer.body)
        self.openssl("crl", "-inform", "DER", "-in", "enrollment-ca.crl", "-out", "crl.pem")

    def crl_text(self):
        self.fetch_pki()
        return self.openssl("crl", "-in", "crl.pem", "-noout", "-text").stdout

    def crl_number(self):
        self.fetch_pki()
        return int(self.openssl("crl", "-in", "crl.pem", "-noout", "-crlnumber").stdout.strip().split("=")[1], 16)

    def verify(self, certificate="enrollment.pem", purpose="sslclient"):
        """openssl's word on the certificate, with the revocation list of this moment."""
        self.fetch_pki()
        done = self.openssl("verify", "-x509_strict", "-purpose", purpose, "-CAfile", "enrollment-ca.pem", "-CRLfile", "crl.pem", "-crl_check",
                            certificate, check=False)
        return done.stdout + done.stderr

    def show(self, certificate="enrollment.pem"):
        return self.openssl("x509", "-in", certificate, "-noout", "-text", "-nameopt", "RFC2253").stdout

    def serial(self, certificate="enrollment.pem"):
        return self.openssl("x509", "-in", certificate, "-noout", "-serial").stdout.strip().split("=")[1].lower()
