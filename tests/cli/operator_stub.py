#!/usr/bin/python3
"""An appliance as operators see it, which does what the file FOLDER/mode says and keeps the last signed request in FOLDER/signed.json."""
import hashlib
import json
import os
import sys
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "https"))
import tls_server  # noqa: E402


def machine(number, **changes):
    fields = {"machine_id": f"{number:08x}-0000-4000-8000-000000000000", "ek_fingerprint": f"{number:096x}", "ek_public_hash": f"{number:064x}",
              "ek_source": "cert", "ek_manufacturer": "id:00001014", "ek_model": "swtpm", "ek_version": "id:20191023",
              "ek_anchor": "CN=swtpm-localca", "hw_uuid": "u", "hw_mac": "02:00:00:00:00:01", "hw_serial": f"S{number}",
              "hw_product": "Ünïcode", "role": "worker-app", "desired_role": None, "status": "pending_approval",
              "cluster_id": "default", "hostname": None, "assigned_ip": None, "assurance": "tpm-verified",
              "registered_at": "2026-11-22T10:00:00.000Z", "attested_at": None, "locked_at": None, "revoked_at": None,
              "wipe_pending": False}
    fields.update(changes)
    return fields


def ek(number, key, names_machine):
    return {"ek_fingerprint": f"{number:096x}", "key": key, "ek_source": "cert", "since": "2026-11-22T10:00:00.000Z",
            "names_machine": names_machine}


MACHINES = [machine(0xaaaa0001, eks=[ek(0xaaaa0001, "P-384", True)]), machine(0xaaaa0002),
            machine(0xbbbb0001, status="attested", role="controlplane", hostname="cp-1",
                    eks=[ek(0xbbbb0001, "P-384", True), ek(0xbbbb00ff, "RSA-2048", False)])]
POLICY = "name: strict\nversion: 7\nmode: enforce\n"
MANY = [machine(0xcc000000 + i) for i in range(450)]


class Handler(tls_server.Handler):
    def reply(self, status, value, **headers):
        self.answer(status, json.dumps(value).encode(), headers)

    def refuse(self, status, reason):
        self.reply(status, {"detail": f"Refused for {reason}.", "reason": reason})

    def list_machines(self, machines, query):
        after = query.get("after", [""])[0]
        begin = next((i + 1 for i, m in enumerate(machines) if m["machine_id"] == after), 0)
        wanted = [m for m in machines[begin:] if m["status"] == query.get("status", [m["status"]])[0] and m["role"] == query.get("role", [m["role"]])[0]]
        self.reply(200, wanted[:int(query["limit"][0])])

    def keep(self, text):
        with open(f"{self.server.folder}/signed.json", "w") as file:
            json.dump({"method": self.command, "target": self.path, "body": text.decode(), "digest": self.headers["Content-Digest"],
                       "input": self.headers["Signature-Input"], "signature": self.headers["Signature"]}, file)

    def act(self, found, verb, text):
        self.keep(text)
        states = {"lock": "locked", "unlock": "attested", "revoke": "revoked", "reject": "rejected", "wipe-ack": "revoked"}
        self.reply(200, {**found, "status": states.get(verb, "revoked")})

    def approve(self, found, text, mode):
        self.keep(text)
        if mode == "second":
            return self.reply(202, {"machine_id": found["machine_id"], "status": "pending_second_approval", "message": "-",
                                    "approvals_received": 1, "approvals_required": 2, "expires_at": "2026-11-22T10:00:00Z"})
        if mode.startswith("approve:"):
            return self.refuse(409, mode.split(":")[1])
        body = json.loads(text)
        self.reply(200, {**found, "status": "registered", "role": body["role"], "hostname": body.get("hostname")})

    def policy(self, mode, text):
        if self.command == "POST":
            self.keep(text)
        policy = {"number": 3, "name": "strict", "version": 7, "author": "SYSTEM", "comment": None, "created_at": "2026-11-22T10:00:00.000Z",
                  "activated_at": None, "active": False, "policy": POLICY, "sha384": hashlib.sha384(POLICY.encode()).hexdigest()}
        changes = {"policy-number": {"number": 2}, "policy-name": {"name": "lax"}, "policy-version": {"version": 8},
                   "policy-text": {"policy": POLICY + "# other\n"}, "policy-digest": {"sha384": "00" * 48}}
        self.reply(200, {**policy, **changes.get(mode, {})})

    def handle_any(self):
        text = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with open(f"{self.server.folder}/requests", "a") as log:
            log.write(f"{self.command} {self.path}\n")
        with open(f"{self.server.folder}/mode") as file:
            mode = file.read().strip()
        if self.headers["Authorization"] != "Bearer the-token":
            return self.refuse(401, "credential_invalid")
        if mode == "html":
            return self.answer(200, b"<html>", {"Content-Type": "text/html"})
        url = urllib.parse.urlsplit(self.path)
        machines = MANY if mode == "many" else [machine(1, hw_product="\x1b[2Jx")] if mode == "escape" else MACHINES
        if url.path == "/api/v1/machines":
            return self.list_machines(machines, urllib.parse.parse_qs(url.query))
        if url.path.startswith("/api/v1/policies/"):
            return self.policy(mode, text)
        found = next((m for m in machines if url.path.startswith(f"/api/v1/machines/{m['machine_id']}")), None)
        if not found:
            return self.refuse(404, "machine_unknown")
        if url.path.endswith("/approve"):
            return self.approve(found, text, mode)
        if self.command != "GET":
            return self.act(found, url.path.rsplit("/", 1)[1], text)
        self.reply(200, found)

    do_GET = do_POST = do_DELETE = handle_any


if __name__ == "__main__":
    tls_server.serve(Handler)
