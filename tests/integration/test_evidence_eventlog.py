"""The `attestation evidence` commands on event logs: files in, words and JSON out; no appliance is there."""

import base64
import hashlib
import json
import os
import struct
import subprocess

import pytest

ATTESTATION = os.path.join(os.environ["ITL_BIN_DIR"], "attestation")
REAL = os.environ.get("ITL_REAL_DATA", os.path.join(os.environ["ITL_SHARED_DATA"], "real"))
FOLDERS = ("HIRS/eventlogs", "fwupd/eventlogs", "go-attestation/eventlogs", "go-attestation/malformed", "go-tpm-tools/eventlogs",
           "guard-oss/eventlogs", "guard-oss/evidence", "keylime/eventlogs", "tpm2-tools/eventlogs", "trustee/ccel")
UEFI = os.path.join(REAL, "keylime/eventlogs/binary_bios_measurements-secureboot")
GOOD, SUSPICIOUS, UNREADABLE = 0, 1, 2


def evidence(*words, given=None):
    return subprocess.run([ATTESTATION, "evidence", *words], input=given, capture_output=True, timeout=60)


def entries():
    for folder in FOLDERS:
        with open(os.path.join(REAL, folder, "expected.json")) as file:
            for entry in json.load(file):
                yield pytest.param(folder, entry, id=entry["file"])


def log_of(folder, entry):
    with open(os.path.join(REAL, folder, entry["file"]), "rb") as file:
        content = file.read()
    return base64.b64decode(json.loads(content)["Log"]["Raw"]) if "where" in entry else content


@pytest.fixture
def log():
    with open(UEFI, "rb") as file:
        return file.read()


def starts(value):
    return set(value) == {"0"} or set(value) == {"f"}


@pytest.mark.parametrize("folder, entry", entries())
def test_every_log_of_the_collection_is_explained(folder, entry):
    done = evidence("eventlog", "-", "--json", given=log_of(folder, entry))
    if "parse_error" in entry:
        assert done.returncode == UNREADABLE and done.stdout == b""
        assert b"byte offset" in done.stderr
        return
    said = json.loads(done.stdout)
    assert done.returncode == (SUSPICIOUS if entry["outcome"] == "tampered copy" else GOOD), said["warnings"]
    assert said["format"] == entry["format"]
    assert said.get("cc", False) == folder.endswith("ccel")
    assert len(said["events"]) == entry["events"]
    assert said["algorithms"] == entry.get("algorithms", said["algorithms"])
    assert said["startup_locality"] == entry["startup_locality"]
    for bank, values in entry["banks"].items():
        known = entry.get("mismatches", {}).get(bank, {})
        replayed = said["banks"].get(bank, {})
        assert set(replayed) <= set(values)
        for pcr, value in values.items():
            if pcr in known.get("replay_differs", ()):
                assert replayed[pcr] != value
            elif pcr in replayed:
                assert replayed[pcr] == value
            else:
                assert starts(value) or pcr in known["nonzero_but_not_in_log"]
    if "own replay only" in entry["banks_source"]:
        assert said["banks"] == entry["banks"]


def test_json_holds_every_event_with_its_digests_and_data(log):
    said = json.loads(evidence("eventlog", UEFI, "--json").stdout)
    assert [event["index"] for event in said["events"]] == list(range(99))
    event = said["events"][4]
    assert (event["pcr"], event["type"], event["type_name"], event["text"]) == (7, 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG",
                                                                               "SecureBoot")
    assert len(event["digests"]["sha256"]) == 64
    assert bytes.fromhex(event["data"]) in log and log.index(bytes.fromhex(event["data"])) > event["offset"]
    assert event["data_is_measured"] is True and said["spec_id"]["uintn_size"] == 2
    image = next(e for e in said["events"] if e["type_name"] == "EV_EFI_BOOT_SERVICES_APPLICATION")
    assert image["data_is_measured"] is False and "data_is_measured" not in said["events"][0]
    assert said["claims"]["secure_boot.enabled"] == "true"
    assert len(said["claims"]["secure_boot.db"]) == 4
    assert isinstance(said["claims"]["boot.driver"], list), "sets are lists, also of one"
    assert said["warnings"] == [] and said["acceptable"] is True


def test_people_read_words():
    done = evidence("eventlog", UEFI)
    text = done.stdout.decode()
    assert done.returncode == GOOD
    assert "Secure Boot is on                   yes" in text
    assert "No warnings." in text and "PCR values (sha256)" in text


@pytest.mark.parametrize("wrap", [lambda log: log.hex().encode(), lambda log: log.hex().upper().encode() + b"\n", base64.b64encode,
                                  base64.encodebytes,
                                  lambda log: base64.urlsafe_b64encode(log).rstrip(b"=")],
                         ids=["hex", "HEX", "base64", "base64-lines", "base64url"])
def test_text_forms_are_unwrapped(log, wrap):
    assert evidence("eventlog", "-", "--json", given=wrap(log)).stdout == evidence("eventlog", UEFI, "--json").stdout


def test_what_is_no_log_is_refused_with_the_byte_where_it_ends_to_be_one(log, tmp_path):
    cases = {b"": b"byte offset 0, event 0: the log is empty", log[:-1]: b"needs", log + b"garbage": b"byte offset 41371, event 99:",
             b"hello, this is a text": b"byte offset", bytes(100): b"only padding"}
    for content, words in cases.items():
        done = evidence("eventlog", "-", given=content)
        assert done.returncode == UNREADABLE and done.stdout == b""
        assert words in done.stderr and b"event_log_unreadable" in done.stderr, done.stderr
    missing = evidence("eventlog", str(tmp_path / "missing"))
    assert missing.returncode == UNREADABLE and b"cannot be read" in missing.stderr


def cel_tlv(kind, value):
    return bytes([kind]) + len(value).to_bytes(4, "big") + value


@pytest.mark.parametrize("content, words", [
    (b"---\nversion: 1\nevents:\n- EventNum: 0\n", "YAML, as tpm2_eventlog prints it"),
    (b'\x1e{"pcr":11,"digests":[],"content_type":"systemd"}\n', "give it with --userspace-log"),
    (b'[{"recnum":0,"pcr":0,"digests":[],"content_type":"pcclient_std"}]', "CEL-JSON"),
    (cel_tlv(0, bytes(8)) + cel_tlv(1, bytes(4)) + cel_tlv(3, cel_tlv(11, bytes(32))) + cel_tlv(5, b""), "CEL-TLV"),
    (b"\x9f\xa4\x00\x00\x01\x00\x03\x81\xa2" + bytes(40), "CEL-CBOR"),
    (b"\x0a\0\0\0" + bytes(20) + b"\x06\0\0\0ima-ng" + bytes(20), "(IMA)"),
    (b"10 91f34b5c671d73504b274a919661cf80dab1e127 ima-ng sha1:1801e1be boot_aggregate\n", "(IMA)"),
    (b"\x1f\x8b\x08" + bytes(30), "gzip"), (b"\x28\xb5\x2f\xfd" + bytes(30), "zstd"),
    (b"00000000: 0000 0000 0300 0000 0000 0000 0000 0000  ................\n", "xxd -p"),
    (b"CCEL" + bytes(52), "the ACPI table"), (b"\xffTCG\x80\x18" + bytes(90), "a TPM's quote"),
], ids=["yaml", "systemd", "cel-json", "cel-tlv", "cel-cbor", "ima", "ima-text", "gzip", "zstd", "xxd", "acpi", "quote"])
def test_what_people_take_for_a_log_is_called_by_its_name(content, words):
    done = evidence("eventlog", "-", given=content)
    assert done.returncode == UNREADABLE and done.stdout == b""
    assert words.encode() in done.stderr and b"byte offset" in done.stderr


def test_log_copied_twice_is_refused_and_final_events_are_not(log):
    twice = evidence("eventlog", "-", given=log + log)
    assert twice.returncode == UNREADABLE and b"byte offset 41371, event 99: another log begins here" in twice.stderr
    last = json.loads(evidence("eventlog", UEFI, "--json").stdout)["events"][-1]["offset"]
    table = struct.pack("<QQ", 1, 1) + log[last:]
    said = json.loads(evidence("eventlog", "-", "--json", given=log + table).stdout)
    assert said["final_events"] == {"events": 1, "repeated": 1} and len(said["events"]) == 99
    assert said["banks"] == json.loads(evidence("eventlog", UEFI, "--json").stdout)["banks"]


def test_padded_log_is_good_and_says_so(log):
    done = evidence("eventlog", "-", "--json", given=log + b"\xff" * 1000)
    assert done.returncode == GOOD
    assert json.loads(done.stdout)["padding_bytes"] == 1000


def test_log_with_edited_data_is_suspicious(log):
    edited = log.replace("SecureBoot".encode("utf-16-le") + b"\x01", "SecureBoot".encode("utf-16-le") + b"\x00")
    assert edited != log
    done = evidence("eventlog", "-", "--json", given=edited)
    said = json.loads(done.stdout)
    assert done.returncode == SUSPICIOUS
    assert "secure_boot.enabled" not in said["claims"]
    assert said["claims"]["log.unverified_data"] == ["4 EV_EFI_VARIABLE_DRIVER_CONFIG"]
    assert "event 4" in said["warnings"][0]


def extended(value, text):
    return hashlib.sha256(bytes.fromhex(value) + hashlib.sha256(text.encode()).digest()).hexdigest()


def record_of(pcr, kind, text):
    """As systemd writes it into tpm2-measure.log."""
    digests = [{"hashAlg": "sha256", "digest": hashlib.sha256(text.encode()).hexdigest()}]
    content = {"string": text, "bootId": "189c18dd7ba245f38cf49d9ac154b525", "timestamp": 1515761, "eventType": kind}
    return "\x1e" + json.dumps({"pcr": pcr, "digests": digests, "content_type": "systemd", "content": content}) + "\n"


@pytest.fixture
def userspace(tmp_path):
    path = tmp_path / "tpm2-measure.log"
    path.write_text(record_of(7, "os-separator", "os-separator") + record_of(11, "phase", "enter-initrd") +
                    record_of(15, "machine-id", "machine-id:0123"))
    return str(path)


def test_userspace_goes_on_where_the_firmware_ended(userspace):
    alone = json.loads(evidence("eventlog", UEFI, "--json").stdout)
    done = evidence("eventlog", UEFI, "--userspace-log", userspace, "--json")
    said = json.loads(done.stdout)
    assert done.returncode == GOOD and said["warnings"] == []
    before, after = alone["banks"]["sha256"], said["banks"]["sha256"]
    assert after.pop("7") == extended(before.pop("7"), "os-separator")
    assert after.pop("11") == extended("00" * 32, "enter-initrd")
    assert after.pop("15") == extended("00" * 32, "machine-id:0123")
    assert after == before
    assert said["userspace"] == {"records": 3, "nv_index": 0}
    assert said["claims"]["uki.phase"] == ["enter-initrd"] and said["claims"]["machine.id"] == "0123"
    assert (said["events"][-1]["userspace"], said["events"][-1]["text"]) == ("machine-id", "machine-id:0123")
    words = evidence("eventlog", UEFI, "--userspace-log", userspace).stdout.decode()
    assert "Userspace's log behind it: 3 records" in words and "Boot phases                         enter-initrd" in words


def test_userspace_log_that_is_none_is_refused_with_its_name(tmp_path, userspace):
    torn = tmp_path / "torn"
    with open(userspace, encoding="utf-8") as file:
        torn.write_text(file.read()[:-20])
    done = evidence("eventlog", UEFI, "--userspace-log", str(torn))
    assert done.returncode == UNREADABLE and done.stdout == b""
    assert str(torn).encode() in done.stderr and b"event 2: the last record is cut off" in done.stderr


def test_diff_of_a_log_with_itself_is_empty():
    done = evidence("diff", UEFI, UEFI)
    assert done.returncode == GOOD and b"say the same" in done.stdout


def test_diff_says_in_words_what_changed():
    old, new = (os.path.join(REAL, "guard-oss/evidence", name)
                for name in ("dell-notebook-5eventlogs-WBCL.log0.bin", "latitude-7520.log0.bin"))
    done = evidence("diff", old, new)
    assert done.returncode == SUSPICIOUS
    assert "What must not boot (dbx) changed: 190 added." in done.stdout.decode()
    said = json.loads(evidence("diff", old, new, "--json").stdout)
    assert said["same"] is False and said["pcrs"] == ["0", "1", "7", "12", "13", "14"]
    assert {"claim": "secure_boot.dbx", "text": "What must not boot (dbx) changed: 190 added."} in said["meaning"]
    assert any(e["pcr"] == "7" and e["change"] == "changed" and e["event"].endswith("dbx") for e in said["events"])


def test_diff_with_what_is_no_log_is_refused(tmp_path):
    text = tmp_path / "text"
    text.write_text("no log")
    assert evidence("diff", UEFI, str(text)).returncode == UNREADABLE
    assert evidence("diff", str(text), UEFI).returncode == UNREADABLE


def test_logs_without_a_common_algorithm_are_not_compared():
    done = evidence("diff", UEFI, os.path.join(REAL, "fwupd/eventlogs/binary_bios_measurements-v1"))
    assert done.returncode == UNREADABLE and b"no hash algorithm in common" in done.stderr


def test_help_says_what_exit_statuses_mean():
    text = subprocess.run([ATTESTATION, "--help"], capture_output=True, text=True, timeout=60).stdout
    assert "evidence eventlog FILE" in text and "evidence diff A B" in text and "Exits with 1 when" in text
