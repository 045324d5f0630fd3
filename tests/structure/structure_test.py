"""Arrows go one way, and each process links only what it may: read from the #include lines and from the built programs.

Usage: structure_test.py SOURCE_FOLDER BIN_FOLDER
"""

import os
import re
import subprocess
import sys
import unittest

SOURCE, BIN = sys.argv[1:3]

LIBRARIES = {"ipc", "tpm", "hsm", "sql", "sandbox", "policy", "config", "talos", "api", "pki", "https"}
PROCESSES = {"supervisor", "front", "keyholder", "signer", "courier", "provision", "cli", "node"}
BELOW = {
    "base": set(),
    "crypto": {"base"},
    "yaml": {"base"},
    **{name: {"base", "crypto", "yaml"} for name in LIBRARIES},
    "process": {"base", "crypto", "ipc", "sandbox"},
}
# What a process never includes, beyond the other processes.
NEVER = {
    "front": {"hsm", "sql", "policy", "tpm", "talos", "config", "pki"},
    "keyholder": {"sql", "policy", "tpm", "talos", "config", "api", "pki"},
    "courier": {"hsm", "sql", "policy", "tpm", "talos", "config", "api", "pki"},
    "supervisor": {"hsm", "sql", "policy", "tpm", "talos", "api", "pki"},
    "signer": {"config", "https"},
}
# Shared libraries that must not be there, by program.
NEVER_LINKED = {
    "itl-front": ("sqlcipher", "p11-kit", "yaml", "curl", "tss2", "softhsm"),
    "itl-keyholder": ("sqlcipher", "yaml", "curl", "libssl", "tss2", "jansson"),
    "itl-courier": ("sqlcipher", "p11-kit", "yaml", "tss2"),
    "itl-signer": ("curl", "libssl", "tss2-esys", "tss2-tcti"),
    "itl-attestd": ("sqlcipher", "p11-kit", "curl", "libssl", "tss2"),
}
# Third-party headers live behind one folder each.
HOMES = {"civetweb.h": {"front"}, "sqlcipher/sqlite3.h": {"sql"}, "sqlite3.h": {"sql"}, "yaml.h": {"yaml"}, "seccomp.h": {"sandbox"},
         "curl/curl.h": {"https"}, "p11-kit/p11-kit.h": {"hsm"}, "p11-kit/pkcs11.h": {"hsm"}}


def sources():
    for top in ("src", "hsm", "policy", "sandbox", "sql"):
        for folder, _, names in os.walk(os.path.join(SOURCE, top)):
            for name in names:
                if name.endswith((".c", ".h")):
                    path = os.path.relpath(os.path.join(folder, name), SOURCE)
                    yield path, path.split(os.sep)[1 if path.startswith("src") else 0]


def includes(path):
    with open(os.path.join(SOURCE, path)) as file:
        return re.findall(r'^#include [<"]([^>"]+)[>"]', file.read(), flags=re.M)


class Structure(unittest.TestCase):
    def test_libraries_include_only_what_stands_below_them(self):
        for path, folder in sources():
            for header in includes(path):
                target = header.split("/")[0]
                if "/" in header and folder in BELOW and target in BELOW.keys() | PROCESSES and target != folder:
                    self.assertIn(target, BELOW[folder], f"{path} includes {header}")

    def test_processes_never_include_one_another_nor_what_is_not_theirs(self):
        for path, folder in sources():
            if folder not in PROCESSES:
                continue
            for header in includes(path):
                target = header.split("/")[0]
                if "/" in header and target != folder:
                    self.assertNotIn(target, PROCESSES | NEVER.get(folder, set()), f"{path} includes {header}")

    def test_third_party_headers_stay_in_their_folder(self):
        for path, folder in sources():
            for header in includes(path):
                if header in HOMES:
                    self.assertIn(folder, HOMES[header], f"{path} includes {header}")

    def test_programs_link_only_what_they_may(self):
        for program, libraries in NEVER_LINKED.items():
            linked = subprocess.run(["ldd", os.path.join(BIN, program)], capture_output=True, text=True, check=True).stdout
            needed = subprocess.run(["objdump", "-p", os.path.join(BIN, program)], capture_output=True, text=True,
                                    check=True).stdout
            self.assertIn("libc.so", linked)
            needed = "\n".join(line for line in needed.splitlines() if "NEEDED" in line)
            for library in libraries:
                self.assertNotIn(library, needed, f"{program} links {library}")

    def test_front_has_no_database_token_or_policy_code_in_it(self):
        symbols = subprocess.run(["nm", os.path.join(BIN, "itl-front")], capture_output=True, text=True, check=True).stdout
        names = {line.split()[-1] for line in symbols.splitlines()}
        self.assertIn("route_find", names)
        self.assertFalse({n for n in names if n.startswith(("sqlite3_", "hsm_", "db_", "policy_", "C_"))})

    def test_signer_has_no_http_server_in_it(self):
        symbols = subprocess.run(["nm", os.path.join(BIN, "itl-signer")], capture_output=True, text=True, check=True).stdout
        names = {line.split()[-1] for line in symbols.splitlines()}
        self.assertIn("handle_attest", names)
        self.assertFalse({n for n in names if n.startswith(("mg_", "curl_", "SSL_"))})


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
