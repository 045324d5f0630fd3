#!/usr/bin/python3
"""An appliance as the node agent sees it, which does what the file FOLDER/mode says. It decides nothing and checks nothing; credentials are real.

usage: appliance_stub.py FOLDER SEALER      SEALER is the program built from sealer.c; beside it is the one from issuer.c
"""
import base64
import json
import os
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "https"))
import tls_server  # noqa: E402

MACHINE = "11111111-2222-4333-8444-555555555555"
SEALED = "application/vnd.itl.config.sealed+json"
CONFIG = "version: v1alpha1\nmachine:\n  type: worker\n"


def run_sealer(*arguments):
    return json.loads(subprocess.run([sys.argv[2], *arguments], check=True, capture_output=True, text=True).stdout)


def issue(csr, machine, role, life):
    issuer = os.path.join(os.path.dirname(sys.argv[2]), "node_issuer")
    now = int(time.time())
    return json.loads(subprocess.run([issuer, csr, machine, role, str(now), str(now + life)], check=True, capture_output=True, text=True).stdout)


class Handler(tls_server.Handler):
    nonce = b"n" * 32
    activated = None
    ek_pub = ak_pub = None

    def mode(self):
        with open(f"{self.server.folder}/mode") as file:
            return file.read().strip()

    def reply(self, status, value, media_type="application/json", **headers):
        self.answer(status, json.dumps(value).encode(), {"Content-Type": media_type, **headers})

    def refuse(self, status, reason, **headers):
        self.reply(status, {"detail": f"Refused for {reason}.", "reason": reason}, **headers)

    def attest_answer(self, **changes):
        answer = {"machine_id": MACHINE, "status": "attested", "hostname": None, "role": "worker-app", "message": "Attested.",
                  "action": "apply-config", "config_url": "https://elsewhere.example/api/v1/config/tok_EN-1", "config_token": "tok_EN-1",
                  "reason": None, "verdict": "pass", "failures": [], "policy_version": 1, "assurance": "tpm-verified"}
        answer.update(changes)
        self.reply(200, answer)

    def register(self, body, mode):
        if mode.startswith("register:"):
            return self.refuse(403, mode.split(":")[1])
        if mode == "busy":
            return self.reply(429, {"detail": "Busy.", "reason": "rate_limited"}, **{"Retry-After": "1"})
        status = {"pending": "pending_approval", "lock": "locked"}.get(mode, "registered")
        self.reply(200, {"machine_id": MACHINE, "role": "worker-app", "status": status, "config_token": None, "config_url": None,
                         "message": "-"})

    def challenge(self, body, mode):
        if mode.startswith("challenge:"):
            return self.refuse(403, mode.split(":")[1])
        Handler.ek_pub, Handler.ak_pub = body["ek_pub"], body["ak_pub"]
        sealed = run_sealer("challenge", body["ek_pub"], body["ak_pub"])
        Handler.activated = sealed.pop("secret")
        if mode == "bad-credential":
            blob = bytearray(base64.b64decode(sealed["credential_blob"]))
            blob[12] ^= 1
            sealed["credential_blob"] = base64.b64encode(blob).decode()
        selection = {"sha256": [0, 7], "sha384": [0, 7, 23]}
        if mode == "inactive-bank":
            selection["sha1"] = [0]
        answer = {"session_id": "ab" * 16, "nonce_id": "cd" * 16, "nonce": base64.b64encode(self.nonce).decode(),
                  "pcr_selection": selection, "event_log": "optional", "expires_at": "2026-11-22T00:00:00Z", **sealed}
        if mode == "cut-challenge":
            del answer["nonce"]
        self.reply(200, answer)

    def attest(self, body, mode):
        if body["activated_secret"] != Handler.activated:
            return self.refuse(403, "challenge_response_invalid")
        if mode.startswith("attest:"):
            return self.refuse(403, mode.split(":")[1])
        if mode == "lock":
            return self.attest_answer(status="locked", action="lock", config_token=None)
        if mode == "wipe":
            return self.attest_answer(status="revoked", action="wipe", config_token=None)
        if mode == "withheld":
            return self.attest_answer(status="registered", action="none", config_token=None, reason="pcr_policy_mismatch", verdict="fail",
                                      message="A PCR is not what policy accepts.",
                                      failures=[{"rule": "pcr sha256:7", "expected": "aa", "actual": "bb"}])
        if mode == "odd-token":
            return self.attest_answer(config_token="../machines")
        if mode == "odd-eks":
            return self.attest_answer(ek_fingerprints=["ab" * 48, "no digest"])
        if mode == "other-eks":
            return self.attest_answer(ek_fingerprints=["ab" * 48])
        self.attest_answer()

    def config(self, mode):
        if mode == "plain":
            return self.answer(200, CONFIG.encode(), {"Content-Type": "application/yaml"})
        if self.headers["Accept"] != SEALED:
            return self.refuse(406, "sealed_delivery_required")
        machine = MACHINE.replace("1", "9") if mode == "wrong-machine" else MACHINE
        aad = json.dumps({"format": "tpm-credential-v1", "machine_id": machine, "token_id": "00", "version": 1})
        sealed = run_sealer("config", Handler.ek_pub, Handler.ak_pub, CONFIG, aad)
        if mode == "wrong-tag":
            sealed["tag"] = base64.b64encode(b"\0" * 16).decode()
        self.reply(200, {"format": "tpm-credential-v1", "machine_id": MACHINE, **sealed}, SEALED)

    def request_certificate(self, body, mode):
        profile = body["profile"]
        if mode.startswith("request:"):
            return self.refuse(403, mode.split(":")[1])
        if mode == "busy-request":
            return self.reply(429, {"detail": "Busy.", "reason": "rate_limited"}, **{"Retry-After": "700"})
        if mode == "exhausted" and profile == "enrollment":
            return self.reply(429, {"detail": "Too many.", "reason": "certificates_exhausted"})
        if mode == "foreign-key":
            with open(f"{self.server.folder}/foreign.csr") as file:
                body["csr_pem"] = file.read().strip()
        names = ("", "") if profile == "svid" else ("another" if mode == "foreign-machine" else MACHINE, "worker-app")
        made = issue(body["csr_pem"], *names, 3600)
        answer = {"machine_id": MACHINE, "role": "worker-app", "enrollment_cert_pem": "", "enrollment_key_pem": "", "svid_pem": None,
                  "enrollment_ca_pem": made["ca"], "message": "-"}
        answer["enrollment_cert_pem" if profile == "enrollment" else "svid_pem"] = made["certificate"]
        self.reply(200, answer)

    def bundle(self, mode):
        if mode == "no-trust-domain":
            return self.refuse(404, "trust_domain_not_set")
        self.reply(200, {"keys": [], "spiffe_sequence": 1, "spiffe_refresh_hint": 1})

    def handle_any(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = json.loads(text) if text else {}
        name = self.path.rsplit("/", 1)[1]
        with open(f"{self.server.folder}/requests", "a") as log:
            log.write(f"{self.command} {self.path}\n")
        with open(f"{self.server.folder}/{name}.json", "w") as file:
            json.dump(body, file)
        mode = self.mode()
        if self.path == "/api/v1/self-register":
            self.register(body, mode)
        elif self.path == "/api/v1/attest/challenge" and self.command == "GET":
            self.reply(200, {"nonce_id": "ef" * 16, "nonce": base64.b64encode(self.nonce).decode(), "expires_at": "2026-11-22T00:00:00Z"})
        elif self.path == f"/api/v1/machines/{MACHINE}/request-cert":
            self.request_certificate(body, mode)
        elif self.path == "/pki/bundle.json":
            self.bundle(mode)
        elif self.path == "/api/v1/attest/challenge":
            self.challenge(body, mode)
        elif self.path == "/api/v1/attest":
            self.attest(body, mode)
        elif self.path == "/api/v1/config/tok_EN-1":
            self.config(mode)
        else:
            self.refuse(404, "not_found")

    do_GET = do_POST = handle_any


if __name__ == "__main__":
    tls_server.serve(Handler)
