"""What is missing, wrong, full or late stops the appliance or degrades it, with a sentence that says what to do; nothing that it
acknowledged is lost."""

import errno
import os
import shutil
import socket
import subprocess

import pytest

from appliance import ACCOUNTS, ROOT, SOFTHSM, TOOLS, Appliance, Node, clean_environment, run

OBJECTS = {"ca": "token-ca/objects", "tls": "token-tls/objects"}


@pytest.fixture
def stopped():
    """Provisioned, not started."""
    made = Appliance()
    yield made
    made.remove()


def as_account(name):
    """A command's beginning, so that what it writes belongs to that process."""
    if not ROOT:
        return ()
    return ("setpriv", f"--reuid={ACCOUNTS[name]}", f"--regid={ACCOUNTS[name]}", "--clear-groups")


def pin(appliance, token):
    with open(os.path.join(appliance.state, "pins", f"{token}.pin")) as file:
        return file.read().strip()


def database(appliance):
    return os.path.join(appliance.state, "db", "attestation.db")


def token_tool(appliance, token, *arguments):
    """pkcs11-tool on one of the tokens, as the process whose token it is."""
    account = {"ca": "signer", "tls": "keyholder"}[token]
    return run(*as_account(account), "pkcs11-tool", "--module", SOFTHSM, "--token-label", f"itl-{token}", "--login",
               "--pin", pin(appliance, token), *arguments,
               env=clean_environment({"SOFTHSM2_CONF": os.path.join(appliance.state, f"token-{token}", "softhsm2.conf")}))


def assert_starts(appliance):
    appliance.start()
    appliance.stop()


# -- tokens ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("token, process", [("ca", "signer"), ("tls", "keyholder")])
def test_missing_token_is_named_and_returns(stopped, token, process):
    folder = os.path.join(stopped.state, OBJECTS[token])
    inside, = os.listdir(folder)
    os.rename(os.path.join(folder, inside), os.path.join(stopped.folder, "unplugged"))
    said = stopped.start_refused()
    assert f"itl-attestd: {process} cannot start" in said
    assert "No PKCS#11 token has the configured label" in said and "itl-provision" in said
    os.rename(os.path.join(stopped.folder, "unplugged"), os.path.join(folder, inside))
    assert_starts(stopped)


@pytest.mark.parametrize("token, process", [("ca", "signer"), ("tls", "keyholder")])
def test_wrong_pin_is_tried_once_and_named(stopped, token, process):
    path = os.path.join(stopped.state, "pins", f"{token}.pin")
    right = pin(stopped, token)
    with open(path, "w") as out:
        out.write("wrong-" + right[:20])
    said = stopped.start_refused()
    assert f"itl-attestd: {process} cannot start" in said
    assert "The token refused the PIN; check the PIN file" in said
    assert stopped.log().count('"child.started"') <= 4  # one start of each process: no second attempt
    with open(path, "w") as out:
        out.write(right)
    assert_starts(stopped)


def test_pin_file_that_others_can_read_is_refused(stopped):
    os.chmod(os.path.join(stopped.state, "pins", "ca.pin"), 0o644)
    said = stopped.start_refused()
    assert "hsm.ca.pin_file" in said and "chmod 600" in said


def test_missing_pin_file_is_named(stopped):
    os.unlink(os.path.join(stopped.state, "pins", "tls.pin"))
    said = stopped.start_refused()
    assert "hsm.tls.pin_file" in said and "run itl-provision" in said


def test_wrong_module_is_named(stopped):
    stopped.write_config({"hsm": {"ca": {"module": "/usr/lib/no-such-module.so"}}})
    said = stopped.start_refused()
    assert "The PKCS#11 module cannot be loaded; check hsm.*.module" in said


@pytest.mark.parametrize("token, label, kind", [("ca", "itl-enrollment-ca", "privkey"), ("ca", "itl-audit", "privkey"),
                                                ("ca", "itl-vault", "secrkey"), ("tls", "itl-tls", "privkey")])
def test_missing_key_is_named(stopped, token, label, kind):
    token_tool(stopped, token, "--delete-object", "--type", kind, "--label", label)
    said = stopped.start_refused()
    assert label in said
    assert "A key is missing in the token; run itl-provision or restore the token" in said


@pytest.mark.parametrize("token, label", [("ca", "itl-enrollment-ca"), ("ca", "itl-audit"), ("tls", "itl-tls")])
def test_extractable_key_is_refused(stopped, token, label):
    for kind in ("privkey", "pubkey"):
        token_tool(stopped, token, "--delete-object", "--type", kind, "--label", label)
    token_tool(stopped, token, "--keypairgen", "--key-type", "EC:secp384r1", "--label", label, "--extractable", "--usage-sign")
    said = stopped.start_refused()
    assert label in said
    assert "A key in the token can leave it" in said and "itl-provision" in said


def test_extractable_vault_key_is_refused(stopped):
    token_tool(stopped, "ca", "--delete-object", "--type", "secrkey", "--label", "itl-vault")
    token_tool(stopped, "ca", "--keygen", "--key-type", "AES:32", "--label", "itl-vault", "--extractable")
    said = stopped.start_refused()
    assert "itl-vault" in said and "A key in the token can leave it" in said


# -- configuration --------------------------------------------------------------------------------------------------


def test_missing_configuration_is_named(stopped):
    os.unlink(stopped.config_path)
    said = stopped.start_refused()
    assert stopped.config_path in said and "check that it exists and who may read it" in said


def test_configuration_error_has_line_and_column(stopped):
    with open(stopped.config_path, "w") as out:
        out.write("listen:\n  names: [localhost]\n  adress: 127.0.0.1:8443\n")
    said = stopped.start_refused()
    assert f"{stopped.config_path}:3:3:" in said and "adress" in said


def test_configuration_that_is_no_yaml_has_line_and_column(stopped):
    with open(stopped.config_path, "w") as out:
        out.write("listen:\n  names: [localhost\nhsm: {}\n")
    said = stopped.start_refused()
    assert f"{stopped.config_path}:3:" in said


def test_weaker_setting_is_refused_by_name_in_high_assurance_mode(stopped):
    stopped.write_config({"machine_config": {"sealed_delivery": False}})
    said = stopped.start_refused()
    assert "machine_config.sealed_delivery" in said and "high_assurance" in said


def test_port_in_use_is_told(stopped):
    with socket.socket() as other:
        other.bind(("127.0.0.1", stopped.port))
        other.listen()
        said = stopped.start_refused()
    assert f"127.0.0.1:{stopped.port}" in said
    assert "The listening address is in use; stop the other program or change listen.address" in said
    assert_starts(stopped)


def test_missing_certificate_is_told(stopped):
    os.unlink(stopped.chain)
    said = stopped.start_refused()
    assert stopped.chain in said and "run itl-provision" in said


# -- kernel ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("facility, sentence", [("landlock", "This kernel has no Landlock"),
                                                ("seccomp", "This kernel refuses seccomp filters")])
def test_kernel_without_the_sandbox_is_refused(stopped, facility, sentence):
    said = stopped.start_refused(prefix=(os.path.join(TOOLS, "deny_syscall"), facility))
    assert sentence in said and "boot a kernel with" in said
    assert_starts(stopped)


# -- clock ----------------------------------------------------------------------------------------------------------


def test_clock_before_the_last_audit_row_is_told_and_changes_nothing(appliance):
    appliance.break_glass()
    rows = appliance.audit()
    appliance.stop()
    tool = (os.path.join(TOOLS, "audit_from_tomorrow"), SOFTHSM, "itl-ca", copy_of_pin(appliance),
            os.path.join(appliance.state, "db", "database.key.sealed"), database(appliance))
    run(*as_account("signer"), *tool,
        env=clean_environment({"SOFTHSM2_CONF": os.path.join(appliance.state, "token-ca", "softhsm2.conf")}))
    before = digest_of(database(appliance))
    said = appliance.start_refused()
    assert "The clock is before the last audit row; set the clock, then start again" in said
    assert digest_of(database(appliance)) == before
    assert [row["action"] for row in appliance.audit()][:len(rows)] == [row["action"] for row in rows]


def copy_of_pin(appliance):
    """The PIN where the signer's account may read it; the appliance itself hands it over a channel."""
    path = os.path.join(appliance.state, "token-ca", "pin")
    shutil.copy(os.path.join(appliance.state, "pins", "ca.pin"), path)
    if ROOT:
        os.chown(path, int(ACCOUNTS["signer"]), int(ACCOUNTS["signer"]))
    os.chmod(path, 0o600)
    return path


def digest_of(path):
    return run("sha256sum", path).stdout.split()[0]


# -- database -------------------------------------------------------------------------------------------------------


def test_database_of_another_token_is_told(appliance):
    appliance.stop()
    other = Appliance(provision=False)
    try:
        other.provision("--make-pins", "--init-tokens")
        other.start()
        other.break_glass()
        other.stop()
        shutil.copyfile(database(other), database(appliance))
    finally:
        other.remove()
    said = appliance.start_refused()
    assert "The database does not open with the key in the token" in said


def test_damaged_database_is_told_and_kept(appliance):
    appliance.break_glass()
    appliance.stop()
    with open(database(appliance), "r+b") as file:
        file.seek(-2000, os.SEEK_END)
        file.write(b"damage" * 100)
    before = digest_of(database(appliance))
    said = appliance.start_refused()
    assert "The database is damaged or was altered" in said and "keep it as evidence" in said
    assert digest_of(database(appliance)) == before


# -- disk -----------------------------------------------------------------------------------------------------------

# A file system of 3 MiB below the database, in a mount namespace that the appliance enters; a process that sleeps keeps it
# reachable from outside.
SMALL_DISK = """
set -e
mount -t tmpfs -o size=3m,mode=0700,uid=$3,gid=$3 tmpfs "$1"
cp -a "$2"/. "$1"
sleep 600 </dev/null >/dev/null 2>&1 &
echo $! >"$4"
shift 4
exec "$@"
"""


class SmallDisk:
    def __init__(self, appliance):
        self.appliance = appliance
        self.db = os.path.join(appliance.state, "db")
        self.copy = os.path.join(appliance.folder, "db-copy")
        self.pid_file = os.path.join(appliance.folder, "sleeper")
        run("cp", "-a", self.db, self.copy)
        enter = ("unshare", "--mount") if ROOT else ("unshare", "--mount", "--map-current-user", "--keep-caps")
        leave = () if ROOT else ("setpriv", "--ambient-caps=-all", "--inh-caps=-all")
        owner = ACCOUNTS["signer"] if ROOT else str(os.geteuid())
        self.prefix = (*enter, "sh", "-c", SMALL_DISK, "small-disk", self.db, self.copy, owner, self.pid_file, *leave)

    @property
    def inside(self):
        with open(self.pid_file) as file:
            return f"/proc/{file.read().strip()}/root{self.db}"

    def fill(self):
        with open(os.path.join(self.inside, "filler"), "wb", buffering=0) as out:
            try:
                while out.write(b"x" * 4096):
                    pass
            except OSError as full:
                assert full.errno == errno.ENOSPC

    def make_room(self):
        os.unlink(os.path.join(self.inside, "filler"))

    def bring_out(self):
        """The database onto the ordinary disk again."""
        for name in os.listdir(self.db):
            os.unlink(os.path.join(self.db, name))
        run("cp", "-a", f"{self.inside}/.", self.db)

    def end(self):
        with open(self.pid_file) as file:
            subprocess.run(["kill", file.read().strip()], check=False)


def test_full_disk_refuses_and_loses_nothing_acknowledged(stopped):
    disk = SmallDisk(stopped)
    stopped.start(prefix=disk.prefix)
    try:
        stopped.break_glass()
        node = Node(stopped)
        try:
            machine_id = node.register().json["machine_id"]
        finally:
            node.remove()
        hostname = approve_until_refused(stopped, disk, machine_id)
        assert stopped.machine(machine_id)["hostname"] == hostname  # what was refused did not happen
        disk.make_room()
        stopped.approve(machine_id, hostname="after-it")
        stopped.stop()
        disk.bring_out()
    finally:
        disk.end()
    stopped.start()
    stopped.break_glass()
    assert stopped.machine(machine_id)["hostname"] == "after-it"
    assert stopped.audit_rows() == len(stopped.audit())
    approved = [row for row in stopped.audit() if row["action"] == "approve"]
    assert len(approved) == int(hostname.split("-")[1]) + 2


def approve_until_refused(appliance, disk, machine_id):
    """Approves again and again on a disk that fills up; the last hostname that was acknowledged."""
    appliance.approve(machine_id, hostname="n-0")
    disk.fill()
    for number in range(1, 2000):
        done = appliance.cli("machine", "approve", machine_id, "--role", "worker-app", "--hostname", f"n-{number}",
                             "--assigned-ip", "10.0.0.5/24", "--yes", check=False)
        if done.returncode != 0:
            assert "storage_full" in done.stderr and "Free space and try again" in done.stderr
            return f"n-{number - 1}"
    raise AssertionError("the disk was never full")
