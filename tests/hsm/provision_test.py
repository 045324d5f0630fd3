"""itl-provision from outside: real SoftHSM tokens in a private folder, read back with OpenSSL's command.

Usage: provision_test.py PATH_OF_ITL_PROVISION. As root the tests run twice, with service accounts and as an
ordinary user; without root the first half is left out.
"""
import glob
import hashlib
import os
import re
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import time
import unittest

PROVISION = os.path.abspath(sys.argv[1])
MODULE = os.environ.get("ITL_TEST_PKCS11_MODULE", "/usr/lib/softhsm/libsofthsm2.so")
CLIENT = os.path.join(subprocess.run(["pkg-config", "--variable=p11_module_path", "p11-kit-1"], capture_output=True,
                                     text=True, check=True).stdout.strip(), "p11-kit-client.so")
ORDINARY = 65534
SIGNER, KEYHOLDER = 3003, 3002

CONFIG = """\
state_directory: {base}/state
runtime_directory: {base}/run
listen:
  address: 127.0.0.1:8443
  names: [{names}]
hsm:
  isolation: {isolation}
  ca:
    module: {module}
    token_label: "CA token; 1%"
    environment:
      SOFTHSM2_CONF: {base}/etc/ca.conf
  tls:
    module: {module}
    environment:
      SOFTHSM2_CONF: {base}/etc/tls.conf
accounts: {{front: 3001, keyholder: 3002, signer: 3003, courier: 3004}}
ek_trust:
  roots_directory: {base}/roots
"""


def openssl(*args, **kwargs):
    return subprocess.run(["openssl", *args], capture_output=True, text=True, check=True, **kwargs).stdout


class Bench(unittest.TestCase):
    """A folder, a configuration and the tool, as whoever runs this program."""

    ordinary = False

    def setUp(self):
        self.base = tempfile.mkdtemp(prefix="itl-provision-")
        os.chmod(self.base, 0o755)
        self.tool = shutil.copy(PROVISION, os.path.join(self.base, "itl-provision"))
        os.chmod(self.tool, 0o755)
        if self.ordinary and os.geteuid() == 0:
            os.chown(self.base, ORDINARY, ORDINARY)
        self.write_config()

    def tearDown(self):
        shutil.rmtree(self.base)

    def path(self, name):
        return os.path.join(self.base, name)

    def write_config(self, names="localhost, attest.example.org, 127.0.0.1", isolation="none", module=MODULE):
        with open(self.path("appliance.yaml"), "w") as f:
            f.write(CONFIG.format(base=self.base, names=names, isolation=isolation, module=module))

    def run_tool(self, *args):
        extra = {"user": ORDINARY, "group": ORDINARY, "extra_groups": []} if self.ordinary and os.geteuid() == 0 else {}
        return subprocess.run([self.tool, "--config", self.path("appliance.yaml"), *args], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120,
                              env={"PATH": "/usr/bin:/bin", "SOFTHSM2_CONF": "/nowhere"}, **extra)

    def make(self, *args):
        result = self.run_tool("--make-pins", "--init-tokens", *args)
        self.assertEqual(result.returncode, 0, result.stderr + result.stdout)
        return result.stdout

    def refused(self, reason, *args):
        result = self.run_tool(*args)
        self.assertEqual(result.returncode, 1, result.stderr + result.stdout)
        self.assertIn(reason, result.stderr)
        self.assertNotIn("done ", result.stdout)
        self.assertIn("not everything is in order", result.stderr)
        return result.stderr

    def contents(self):
        """Everything that a second run may not change; SoftHSM rewrites its own files when it opens them."""
        found = {}
        for name in glob.glob(self.path("state/**"), recursive=True) + glob.glob(self.path("etc/*")):
            if os.path.isfile(name) and "/tokens/" not in name:
                with open(name, "rb") as f:
                    found[name] = (f.read(), os.stat(name).st_uid, os.stat(name).st_mode)
        return found

    def write_pin(self, name, text):
        path = self.path("state/pins/" + name)
        with open(path, "w") as f:
            f.write(text)


class Ceremony(Bench):
    # What it makes

    def test_ca_certificate_has_the_profile(self):
        self.make()
        text = openssl("x509", "-in", self.path("state/pki/enrollment-ca.pem"), "-noout", "-text")
        for wanted in ("Subject: C = NL, O = ITL Usions, CN = ITL Machine Enrollment CA", "ecdsa-with-SHA384",
                       "secp384r1", "Basic Constraints: critical\n                CA:TRUE, pathlen:0",
                       "Key Usage: critical\n                Digital Signature, Certificate Sign, CRL Sign",
                       "Subject Key Identifier"):
            self.assertIn(wanted, text)
        ca = self.path("state/pki/enrollment-ca.pem")
        openssl("verify", "-CAfile", ca, "-x509_strict", "-check_ss_sig", ca)
        serial = openssl("x509", "-in", self.path("state/pki/enrollment-ca.pem"), "-noout", "-serial").strip()
        self.assertGreaterEqual(len(serial.split("=")[1]), 16)

    def test_server_certificate_and_request_have_the_names(self):
        self.make()
        text = openssl("x509", "-in", self.path("state/tls/chain.pem"), "-noout", "-text")
        names = "DNS:localhost, DNS:attest.example.org, IP Address:127.0.0.1"
        for wanted in (names, "TLS Web Server Authentication", "CA:FALSE", "ecdsa-with-SHA384", "secp384r1"):
            self.assertIn(wanted, text)
        request = openssl("req", "-in", self.path("state/tls/server.csr"), "-noout", "-text", "-verify")
        self.assertIn(names, request)
        self.assertEqual(openssl("req", "-in", self.path("state/tls/server.csr"), "-noout", "-pubkey"),
                         openssl("x509", "-in", self.path("state/tls/chain.pem"), "-noout", "-pubkey"))

    def test_pin_and_fingerprint_are_those_of_the_certificate(self):
        output = self.make()
        fingerprint = openssl("x509", "-in", self.path("state/tls/chain.pem"), "-noout", "-fingerprint", "-sha256")
        self.assertIn(fingerprint.strip().split("=")[1], output)
        pubkey = openssl("x509", "-in", self.path("state/tls/chain.pem"), "-noout", "-pubkey")
        der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"], input=pubkey.encode(),
                             capture_output=True, check=True).stdout
        pin = subprocess.run(["openssl", "base64"], input=hashlib.sha256(der).digest(), capture_output=True,
                             check=True).stdout.decode().strip()
        self.assertIn("sha256//" + pin, output)

    def test_curl_accepts_the_certificate_as_ca_file_and_by_pin(self):
        output = self.make()
        pin = re.search(r"sha256//\S+", output).group(0)
        port, processes = self.serve()
        try:
            url = "https://localhost:%d/" % port
            base = ["curl", "--silent", "--show-error", "--noproxy", "*", "--output", "/dev/null", "--max-time", "20"]
            cacert = ["--cacert", self.path("state/tls/chain.pem")]
            self.assertEqual(subprocess.run(base + cacert + [url]).returncode, 0)
            self.assertEqual(subprocess.run(base + cacert + ["--pinnedpubkey", pin, url]).returncode, 0)
            self.assertEqual(subprocess.run(base + ["--insecure", "--pinnedpubkey", pin, url]).returncode, 0)
            wrong = "sha256//" + "A" * 43 + "="
            quiet = {"stderr": subprocess.DEVNULL}
            self.assertNotEqual(subprocess.run(base + ["--insecure", "--pinnedpubkey", wrong, url], **quiet).returncode, 0)
            self.assertNotEqual(subprocess.run(base + [url], **quiet).returncode, 0)
            other = ["--connect-to", "other.example:%d:localhost:%d" % (port, port), "https://other.example:%d/" % port]
            self.assertNotEqual(subprocess.run(base + cacert + other, **quiet).returncode, 0)
        finally:
            for process in processes:
                process.kill()
                process.wait()

    def serve(self):
        """OpenSSL's test server with the key in the token, which is in another process: SoftHSM itself asks
        OpenSSL for digests, and in one process with this provider would get its own."""
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            port = s.getsockname()[1]
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        token = subprocess.Popen(["p11-kit", "server", "--foreground", "--provider", MODULE, "-n", self.path("p11"),
                                  "pkcs11:token=itl-tls"], env={"SOFTHSM2_CONF": self.path("etc/tls.conf")}, **quiet)
        while not os.path.exists(self.path("p11")):
            self.assertIsNone(token.poll())
            time.sleep(0.02)
        with open(self.path("openssl.cnf"), "w") as f:
            f.write("openssl_conf = a\n[a]\nproviders = p\n[p]\ndefault = d\npkcs11 = k\n[d]\nactivate = 1\n[k]\n"
                    "pkcs11-module-path = %s\npkcs11-module-quirks = no-deinit no-operation-state\nactivate = 1\n" % CLIENT)
        key = "pkcs11:token=itl-tls;object=itl-tls;type=private?pin-source=file:" + self.path("state/pins/tls.pin")
        environment = {"PATH": "/usr/bin:/bin", "P11_KIT_SERVER_ADDRESS": "unix:path=" + self.path("p11"),
                       "OPENSSL_CONF": self.path("openssl.cnf")}
        server = subprocess.Popen(["openssl", "s_server", "-accept", "127.0.0.1:%d" % port, "-www", "-tls1_3", "-cert",
                                   self.path("state/tls/chain.pem"), "-key", key], env=environment, **quiet)
        for _ in range(200):
            with socket.socket() as s:
                if s.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.05)
        return port, (server, token)

    def test_no_secret_lies_open(self):
        self.make()
        self.assertEqual(os.path.getsize(self.path("state/db/database.key.sealed")), 32 + 41)
        for name in ("state/pins/ca.pin", "state/pins/tls.pin.officer", "state/db/database.key.sealed"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o600, name)
        for name in ("state/pins", "state/db", "state/tokens/ca", "state/tokens/tls"):
            self.assertEqual(stat.S_IMODE(os.stat(self.path(name)).st_mode), 0o700, name)
        pins = set()
        for name in ("ca.pin", "ca.pin.officer", "tls.pin", "tls.pin.officer"):
            with open(self.path("state/pins/" + name)) as f:
                pins.add(f.read())
        self.assertEqual([len(p) for p in pins], [24] * 4)

    # What it keeps

    def test_second_run_keeps_everything_and_says_so(self):
        self.make()
        before = self.contents()
        output = self.make()
        self.assertEqual(self.contents(), before)
        self.assertNotRegex(output, r"(?m)^(made|renewed|set) ")
        for wanted in ('kept    token "itl-tls"', "kept    key itl-vault", "kept    key itl-tls"):
            self.assertIn(wanted, output)
        plain = self.run_tool()
        self.assertEqual(plain.returncode, 0, plain.stderr)
        self.assertEqual(self.contents(), before)

    def test_probe_and_verify_change_nothing(self):
        self.make()
        before = self.contents()
        for mode in ("--probe", "--verify"):
            result = self.run_tool(mode)
            self.assertEqual(result.returncode, 0, result.stderr)
            self.assertIn("everything is in order", result.stdout)
        self.assertEqual(self.contents(), before)

    def test_probe_and_verify_make_nothing_where_nothing_is(self):
        self.refused("config_unreadable", "--probe")
        self.refused("config_unreadable", "--verify")
        self.assertFalse(os.path.exists(self.path("state")))

    def test_changed_names_are_noted_and_renewed_on_request_with_the_same_key(self):
        self.make()
        chain = self.path("state/tls/chain.pem")
        key = openssl("x509", "-in", chain, "-noout", "-pubkey")
        self.write_config(names="new.example.org, 192.0.2.7, '2001:db8::7'")
        result = self.run_tool()
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("does not cover new.example.org", result.stdout)
        self.assertIn("does not cover 2001:db8::7", result.stdout)
        self.assertIn("localhost", openssl("x509", "-in", chain, "-noout", "-text"))
        result = self.run_tool("--renew-tls")
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertNotIn("does not cover", result.stdout)
        self.assertIn("DNS:new.example.org, IP Address:192.0.2.7, IP Address:2001:DB8:0:0:0:0:0:7",
                      openssl("x509", "-in", chain, "-noout", "-text"))
        self.assertEqual(openssl("x509", "-in", chain, "-noout", "-pubkey"), key)

    def test_lost_certificates_are_made_again_for_the_same_keys(self):
        self.make()
        ca = self.path("state/pki/enrollment-ca.pem")
        key = openssl("x509", "-in", ca, "-noout", "-pubkey")
        os.unlink(ca)
        self.assertIn("pki/enrollment-ca.pem", self.refused("config_unreadable", "--verify"))
        self.make()
        self.assertEqual(openssl("x509", "-in", ca, "-noout", "-pubkey"), key)

    # What it refuses

    def test_without_options_missing_things_are_named(self):
        self.assertIn("--init-tokens", self.refused("config_unreadable"))
        result = self.run_tool("--init-tokens")
        self.assertEqual(result.returncode, 1)
        self.assertIn("--make-pins", result.stderr)

    def test_missing_token_is_named(self):
        self.make()
        shutil.rmtree(self.path("state/tokens/tls"))
        self.run_tool("--probe")
        error = self.refused("token_absent")
        self.assertIn("itl-tls", error)
        self.assertIn("--init-tokens", error)

    def test_wrong_pin_is_tried_once(self):
        self.make()
        with open(self.path("state/pins/ca.pin")) as f:
            right = f.read()
        self.write_pin("ca.pin", "wrong-pin")
        for mode in ([], ["--probe"], ["--verify"]):
            error = self.refused("token_pin]", *mode)
            self.assertEqual(error.count("[token_pin]"), 1)
            self.assertIn("ca.pin", error)
            self.assertNotIn("wrong-pin", error)
        self.write_pin("ca.pin", right)
        self.assertEqual(self.run_tool().returncode, 0)

    def test_pin_file_that_others_may_read_is_refused(self):
        self.make()
        os.chmod(self.path("state/pins/ca.pin"), 0o644)
        self.assertIn("chmod 0600", self.refused("config_invalid"))

    def test_wrong_module_path_is_named(self):
        self.make()
        self.write_config(module="/nowhere/module.so")
        self.assertIn("/nowhere/module.so", self.refused("token_module", "--probe"))

    def test_key_that_can_leave_the_token_is_refused(self):
        self.make()
        self.pkcs11("--delete-object", "--type", "privkey", "--label", "itl-audit")
        self.pkcs11("--delete-object", "--type", "pubkey", "--label", "itl-audit")
        self.pkcs11("--keypairgen", "--key-type", "EC:secp384r1", "--label", "itl-audit", "--usage-sign", "--extractable")
        for mode in ([], ["--probe"]):
            self.assertIn("itl-audit", self.refused("token_key_extractable", *mode))

    def test_key_of_another_curve_is_refused(self):
        self.make()
        self.pkcs11("--delete-object", "--type", "privkey", "--label", "itl-audit")
        self.pkcs11("--delete-object", "--type", "pubkey", "--label", "itl-audit")
        self.pkcs11("--keypairgen", "--key-type", "EC:prime256v1", "--label", "itl-audit", "--usage-sign")
        self.assertIn("itl-audit", self.refused("token_key_type"))

    def test_half_a_key_is_not_replaced(self):
        self.make()
        self.pkcs11("--delete-object", "--type", "pubkey", "--label", "itl-audit")
        self.assertIn("itl-audit", self.refused("token_exists"))

    def pkcs11(self, *args):
        with open(self.path("state/pins/ca.pin")) as f:
            pin = f.read()
        owner = os.stat(self.path("state/tokens/ca")).st_uid
        extra = {"user": owner, "group": owner, "extra_groups": []} if os.geteuid() == 0 else {}
        subprocess.run(["pkcs11-tool", "--module", MODULE, "--token-label", "CA token; 1%", "--login", "--pin", pin, *args],
                       env={"PATH": "/usr/bin:/bin", "SOFTHSM2_CONF": self.path("etc/ca.conf")}, check=True,
                       capture_output=True, **extra)

    def test_altered_database_key_is_refused_and_kept(self):
        self.make()
        path = self.path("state/db/database.key.sealed")
        with open(path, "r+b") as f:
            f.seek(40)
            byte = f.read(1)
            f.seek(40)
            f.write(bytes([byte[0] ^ 1]))
        before = self.contents()
        self.refused("token_open_refused")
        self.refused("token_open_refused", "--verify")
        self.assertEqual(self.contents(), before)

    def test_database_without_its_key_gets_no_new_one(self):
        self.make()
        os.unlink(self.path("state/db/database.key.sealed"))
        with open(self.path("state/db/attestation.db"), "w") as f:
            f.write("a database")
        self.assertIn("restore the key", self.refused("database_key_wrong"))
        self.assertFalse(os.path.exists(self.path("state/db/database.key.sealed")))

    def test_certificate_of_another_key_is_refused(self):
        self.make()
        shutil.copy(self.path("state/pki/enrollment-ca.pem"), self.path("state/tls/chain.pem"))
        self.assertIn("--renew-tls", self.refused("tls_certificate_invalid"))
        self.make("--renew-tls")

    def test_unreadable_certificate_is_refused(self):
        self.make()
        with open(self.path("state/pki/enrollment-ca.pem"), "w") as f:
            f.write("no certificate")
        self.refused("tls_certificate_invalid")

    def test_symbolic_link_in_a_folders_place_is_refused(self):
        os.mkdir(self.path("state"))
        os.mkdir(self.path("elsewhere"))
        if self.ordinary and os.geteuid() == 0:
            os.chown(self.path("state"), ORDINARY, ORDINARY)
        os.symlink(self.path("elsewhere"), self.path("state/db"))
        self.refused("io_error", "--make-pins", "--init-tokens")
        self.assertEqual(os.listdir(self.path("elsewhere")), [])

    def test_wrong_usage_is_told(self):
        for args in ([self.tool], [self.tool, "--config"], [self.tool, "--config", "x", "--probe", "--verify"],
                     [self.tool, "--config", "x", "--probe", "--make-pins"], [self.tool, "--config", "x", "more"],
                     [self.tool, "--unknown"]):
            result = subprocess.run(args, capture_output=True, text=True)
            self.assertEqual(result.returncode, 64, args)
            self.assertIn("usage:", result.stderr)
        self.assertEqual(subprocess.run([self.tool, "--help"], capture_output=True).returncode, 0)

    def test_faulty_configuration_is_placed(self):
        with open(self.path("appliance.yaml"), "a") as f:
            f.write("surprise: 1\n")
        result = self.run_tool("--probe")
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, r"appliance\.yaml:\d+:\d+: surprise")


class CeremonyAsOrdinaryUser(Ceremony):
    ordinary = True


class Accounts(Bench if os.geteuid() == 0 else object):
    """Only what root adds: for others these are no tests."""

    def owner(self, name):
        return os.stat(self.path(name)).st_uid

    def test_everything_belongs_to_the_account_that_uses_it(self):
        self.make()
        for name in glob.glob(self.path("state/tokens/ca/**"), recursive=True):
            self.assertEqual(os.stat(name).st_uid, SIGNER, name)
        for name in glob.glob(self.path("state/tokens/tls/**"), recursive=True):
            self.assertEqual(os.stat(name).st_uid, KEYHOLDER, name)
        self.assertEqual(self.owner("state/db"), SIGNER)
        self.assertEqual(self.owner("state/db/database.key.sealed"), SIGNER)
        for name in ("state", "state/pins", "state/pins/ca.pin", "state/pki/enrollment-ca.pem", "state/tls/chain.pem"):
            self.assertEqual(self.owner(name), 0, name)
        self.assertEqual(os.stat(self.path("state/configs")).st_gid, SIGNER)

    def test_isolated_modules_own_their_tokens(self):
        self.write_config(isolation="process")
        self.make()
        self.assertEqual(self.owner("state/tokens/ca"), SIGNER)
        self.assertEqual(self.owner("state/tokens/tls"), KEYHOLDER)
        self.assertEqual(self.owner("state/db/database.key.sealed"), SIGNER)

    def test_owner_and_permissions_are_corrected(self):
        self.make()
        os.chmod(self.path("state/db"), 0o755)
        os.chown(self.path("state/db"), 0, 0)
        self.assertIn("set     " + self.path("state/db"), self.make())
        self.assertEqual(self.owner("state/db"), SIGNER)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("state/db")).st_mode), 0o700)

    def test_unknown_account_is_named(self):
        with open(self.path("appliance.yaml")) as f:
            text = f.read()
        with open(self.path("appliance.yaml"), "w") as f:
            f.write(text.replace("signer: 3003", "signer: nobody-of-this-name"))
        self.assertIn("nobody-of-this-name", self.refused("account", "--make-pins"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[2:])
