"""A node's side of the protocol step by step with tpm2-tools, so that each step can be done wrong."""

import base64
import copy
import json
import os

from appliance import wait_until

REGISTER, CHALLENGE, ATTEST = "/api/v1/self-register", "/api/v1/attest/challenge", "/api/v1/attest"


def b64(data):
    return base64.b64encode(data).decode()


class Evidence:
    """Possession and quote of one node, made by tpm2-tools; not by our agent."""

    AK_OPTIONS = {"rsa2048": ("-G", "rsa", "-g", "sha256", "-s", "rsassa"),
                  "rsa2048-pss": ("-G", "rsa", "-g", "sha256", "-s", "rsapss"),
                  "p256": ("-G", "ecc", "-g", "sha256", "-s", "ecdsa"),
                  "p384": ("-G", "ecc384", "-g", "sha384", "-s", "ecdsa")}
    EK_OPTIONS = {"rsa2048": "rsa", "p384": "ecc384"}  # as tpm2_createek calls them; the P-384 one is the profile's H-3

    def __init__(self, node, ak="p256", ek="rsa2048"):
        self.node = node
        self.tpm = node.tpm
        self.appliance = node.appliance
        self.ak = ak
        self.ek = ek
        self.identity = node.identity(ek)
        self.ek_context = "ek.ctx"
        self.session = None
        self.make_keys()

    def make_keys(self):
        tool, path = self.tpm.tool, self.tpm.path
        self.flush()
        tool("tpm2_createek", "-G", self.EK_OPTIONS[self.ek], "-c", path(self.ek_context), "-u", path("ek.pub"))
        tool("tpm2_createak", "-C", path(self.ek_context), "-c", path("ak.ctx"), *self.AK_OPTIONS[self.ak], "-u", path("ak.pub"),
             "-n", path("ak.name"))
        self.flush()
        self.ak_pub = self.tpm.read("ak.pub")

    def flush(self):
        self.tpm.tool("tpm2_flushcontext", "-t", check=False)
        self.tpm.tool("tpm2_flushcontext", "-l", check=False)

    # -- the four steps -----------------------------------------------------------------------------------------

    def challenge(self, **changes):
        body = {"ek_cert_pem": self.identity["ek_cert_pem"], "ek_source": "cert", "ak_pub": b64(self.ak_pub)}
        body.update(changes)
        answer = self.appliance.post("/api/v1/attest/challenge", body)
        if answer.status == 200:
            self.session = answer.json
        return answer

    def try_activate(self, credential, ak_context="ak.ctx"):
        """TPM2_ActivateCredential of a challenge or a sealed configuration: the secret, or None if the TPM refuses."""
        path = self.tpm.path
        blob = base64.b64decode(credential["credential_blob"]) + base64.b64decode(credential["encrypted_secret"])
        with open(path("cred"), "wb") as out:  # tpm2-tools' own header, then the two structures
            out.write(bytes.fromhex("badcc0de00000001") + blob)
        authorization = ()
        if self.ek == "rsa2048":
            self.tpm.tool("tpm2_startauthsession", "--policy-session", "-S", path("session.ctx"))
            self.tpm.tool("tpm2_policysecret", "-S", path("session.ctx"), "-c", "e")
            authorization = ("-P", "session:" + path("session.ctx"))
        done = self.tpm.tool("tpm2_activatecredential", "-c", path(ak_context), "-C", path(self.ek_context), "-i", path("cred"),
                             "-o", path("secret"), *authorization, check=False)
        self.flush()
        return self.tpm.read("secret") if done.returncode == 0 else None

    def activate(self):
        """The secret of the challenge in hand."""
        secret = self.try_activate(self.session)
        assert secret is not None, "the TPM refused an honest challenge"
        return secret

    def quote(self, nonce, selection="sha256:0,2,4,7", form="tss"):
        """(TPMS_ATTEST, signature): TPMT_SIGNATURE, or DER ECDSA or raw RSA in the form "plain"."""
        path = self.tpm.path
        scheme = ("--scheme", "rsapss") if self.ak == "rsa2048-pss" else ()
        self.tpm.tool("tpm2_flushcontext", "-t", check=False)  # a TPM has room for three objects
        self.tpm.tool("tpm2_quote", "-c", path("ak.ctx"), "-l", selection, "-q", nonce.hex(), "-m", path("quote"),
                      "-s", path("signature"), "-g", "sha384" if self.ak == "p384" else "sha256", "-f", form, *scheme)
        return self.tpm.read("quote"), self.tpm.read("signature")

    def pcr_values(self, pcrs=(0, 2, 4, 7)):
        """The SHA-256 bank as `pcr_values` shows it."""
        self.tpm.tool("tpm2_pcrread", "sha256:" + ",".join(map(str, pcrs)), "-o", self.tpm.path("pcrs"))
        values = self.tpm.read("pcrs")
        return {"sha256": {str(pcr): values[32 * i:32 * i + 32].hex() for i, pcr in enumerate(pcrs)}}

    def body(self, **changes):
        """A complete, honest request for the challenge in hand; `changes` are then laid over it."""
        nonce = base64.b64decode(self.session["nonce"])
        quote, signature = self.quote(nonce)
        body = dict(self.identity, session_id=self.session["session_id"], nonce_id=self.session["nonce_id"],
                    activated_secret=b64(self.activate()), ak_pub=b64(self.ak_pub), pcr_quote=b64(quote),
                    pcr_signature=b64(signature))
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def attest(self, **changes):
        challenged = self.challenge()
        assert challenged.status == 200, challenged
        return self.post(self.body(**changes))

    def nonce_body(self, selection="sha256:0,2,4,7", form="tss", **changes):
        """A later attestation: a fresh nonce and a quote of the AK that was activated before."""
        fresh = self.appliance.get("/api/v1/attest/challenge").json
        quote, signature = self.quote(base64.b64decode(fresh["nonce"]), selection, form)
        body = dict(self.identity, nonce_id=fresh["nonce_id"], pcr_quote=b64(quote), pcr_signature=b64(signature))
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def post(self, body):
        return self.appliance.post("/api/v1/attest", body)

    def activation(self, **changes):
        """A complete, honest body for ak-activate, without a quote, in a new session."""
        challenged = self.challenge()
        assert challenged.status == 200, challenged
        body = dict(self.identity, session_id=self.session["session_id"], activated_secret=b64(self.activate()),
                    ak_pub=b64(self.ak_pub))
        body.update(changes)
        return {name: value for name, value in body.items() if value is not None}

    def ak_activate(self, machine_id, **changes):
        return self.appliance.post(f"/api/v1/machines/{machine_id}/ak-activate", self.activation(**changes))


class OtherEk(Evidence):
    """The same TPM and the same AK, shown with another EK."""

    def __init__(self, evidence, ek="p384"):
        self.node, self.tpm, self.appliance, self.ak = evidence.node, evidence.tpm, evidence.appliance, evidence.ak
        self.ek = ek
        self.ek_context = f"ek-{ek}.ctx"
        self.identity = self.node.identity(ek)
        self.session = None
        self.ak_pub = evidence.ak_pub
        self.flush()
        self.tpm.tool("tpm2_createek", "-G", self.EK_OPTIONS[ek], "-c", self.tpm.path(self.ek_context), "-u",
                      self.tpm.path(f"ek-{ek}.pub"))
        self.flush()


def snapshot(appliance):
    """What must not change when something is refused."""
    return copy.deepcopy(appliance.machines())


def refused(appliance, send, status, reason, action, actor="node"):
    """What every refusal must be: this status and reason and nothing else in the answer, one audit row with the same
    reason, and no machine changed. Gives the row."""
    rows = len(appliance.audit())
    machines = snapshot(appliance)
    answer = send()
    assert (answer.status, answer.reason) == (status, reason), answer
    assert set(answer.json) == {"detail", "reason"}
    row, = wait_until(lambda: appliance.audit()[rows:], 5, f"the audit row of {reason}")
    assert (row["action"], row["actor"], row["reason"]) == (action, actor, reason), row
    assert row["source_ip"] == "127.0.0.1" and not row["new_state"]
    assert snapshot(appliance) == machines
    return row


def attest_refused(evidence, body, status, reason):
    """POST /attest refused; the row says whose EK it was."""
    row = refused(evidence.appliance, lambda: evidence.post(body), status, reason, "attest_refused")
    assert json.loads(row["detail"]) == {"ek_fingerprint": body["ek_fingerprint"]}


def session_body(evidence, **changes):
    """A complete request in a new session, with the changes laid over it."""
    assert evidence.challenge().status == 200
    return evidence.body(**changes)


def nonce_of(evidence):
    return base64.b64decode(evidence.session["nonce"])
