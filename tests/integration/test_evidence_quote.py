"""`attestation evidence quote`: quotes of real TPMs, of a software TPM, and forged ones."""

import base64
import hashlib
import json
import re
import struct

import pytest

import certificates as x
from appliance import Tpm, run
from certificates import Mint
from evidence_command import evidence, expected, real
from forgery import flip, sized, spread

FIELDS = {"valid", "reasons", "selection", "pcr_digest", "extra_data", "clock", "reset_count", "restart_count",
          "firmware_version"}
QUOTE_TYPE = 0x8018
EV_NO_ACTION = 3


class Quote:
    """Quote, signature and AK as bytes; what else is known."""

    def __init__(self, attest, signature, ak, pcrs=None):
        self.attest = attest
        self.signature = signature
        self.ak = ak if isinstance(ak, bytes) else ak.encode()
        self.pcrs = pcrs


class Bench:
    def __init__(self, folder):
        self.folder = folder

    def write(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return str(path)

    def judge(self, quote, *options, nonce=None, pcrs=None, **replaced):
        """replaced: attest, signature or ak in another form."""
        given = ["--quote", self.write("quote", replaced.get("attest", quote.attest)),
                 "--signature", self.write("signature", replaced.get("signature", quote.signature)),
                 "--ak", self.write("ak", replaced.get("ak", quote.ak))]
        if nonce is not None:
            given += ["--nonce", nonce]
        if pcrs is not None:
            given += ["--pcrs", self.write("pcrs", pcrs if isinstance(pcrs, (bytes, str)) else json.dumps(pcrs))]
        return evidence("quote", *given, "--json", *options)

    def assert_valid(self, quote, **options):
        outcome = self.judge(quote, **options)
        assert outcome.status == 0 and outcome.json["valid"] is True and outcome.json["reasons"] == [], outcome
        return outcome.json

    def assert_reasons(self, quote, *reasons, **options):
        outcome = self.judge(quote, **options)
        assert outcome.status == 1 and outcome.json["valid"] is False, outcome
        assert outcome.json["reasons"] == list(reasons), outcome
        assert len(outcome.json["explanations"]) == len(reasons)
        return outcome.json

    def assert_unreadable(self, quote, said, **options):
        outcome = self.judge(quote, **options)
        assert outcome.status == 2 and outcome.stdout == "" and said in outcome.stderr, outcome
        return outcome


@pytest.fixture
def bench(tmp_path):
    return Bench(tmp_path)


# -- quotes of real machines ---------------------------------------------------------------------------------------------

BANKS = {"4": "sha1", "11": "sha256", "12": "sha384"}


def read(*names):
    with open(real(*names), "rb") as file:
        return file.read()


def take(data, at):
    """A length of 8 bytes, little-endian, and what it counts; then where it ends."""
    size = int.from_bytes(data[at:at + 8], "little")
    return data[at + 8:at + 8 + size], at + 8 + size


def from_bincode(data):
    signature, at = take(data, 0)
    attest, at = take(data, at)
    count, at = int.from_bytes(data[at:at + 8], "little"), at + 8
    values = []
    for _ in range(count):
        value, at = take(data, at)
        values.append(value)
    return attest, signature, values


def unpack(folder, entry):
    """The parts of one entry of the collection, whatever they are packed in."""
    if folder == "keylime":
        return Quote(read(folder, entry["file"]), read(folder, "quotes/quotesig.out"), read(folder, "quotes/ak.pub"),
                     read(folder, "quotes/quotepcr.out"))
    if folder == "azure-cvm-tooling" and entry["file"].endswith("quote.bin"):
        attest, signature, values = from_bincode(read(folder, entry["file"]))
        return Quote(attest, signature, entry["ak_pem"], {"sha256": {str(i): v.hex() for i, v in enumerate(values)}})
    if folder == "azure-cvm-tooling":
        return Quote(read(folder, entry["file"]), read(folder, "history-2023-11/quote_sig"), entry["ak_pem"])
    if folder == "veraison":
        token = read(folder, entry["file"])  # 16 bytes of node identity, then a length of two bytes
        return from_enacttrust(token, entry)
    document = json.loads(read(folder, entry["file"]))
    if folder == "trustee":
        part = document.get("tpm_quote") or document["quote"]
        as_bytes = lambda value: bytes.fromhex(value) if isinstance(value, str) else bytes(value)
        return Quote(as_bytes(part["message"]), as_bytes(part["signature"]), entry["ak_pem"],
                     {"sha256": {str(i): as_bytes(v).hex() for i, v in enumerate(part["pcrs"])}})
    values = document.get("allpcrs") or {document["algorithm"]: document["pcrs"]}
    selected = {bank for bank, _ in entry["attest"]["pcrSelect"]}
    return Quote(base64.b64decode(document["quote"]), base64.b64decode(document["signature"]), entry["ak_pem"],
                 {BANKS[bank]: {index: base64.b64decode(value).hex() for index, value in pcrs.items()}
                  for bank, pcrs in values.items() if BANKS[bank] in selected})


def from_enacttrust(token, entry):
    at = token.index(bytes.fromhex("ff544347"))
    size = int.from_bytes(token[at - 2:at], "big")
    return Quote(token[at:at + size], token[at + size:], entry["ak_pem"])


REAL_QUOTES = [(folder, entry) for folder in ("keylime", "azure-cvm-tooling", "veraison", "trustee", "guard-oss")
               for entry in expected(folder, "expected_quotes.json")]


@pytest.mark.parametrize("folder, entry", REAL_QUOTES, ids=lambda value: value if isinstance(value, str) else value["file"])
def test_real_quote_is_valid_and_its_fields_are_the_expected_ones(bench, folder, entry):
    """Verdicts that speak of event logs (which bank or log to believe) are not about the quote itself, which is valid. The
    one of veraison is "reject unless no nonce was asked for": its nonce is empty."""
    quote = unpack(folder, entry)
    said = bench.assert_valid(quote, nonce=entry["nonce_hex"],
                              pcrs=quote.pcrs if entry["expected"]["pcr_digest_matches_reported_pcrs"] else None)
    attest = entry["attest"]
    assert FIELDS <= set(said)
    assert said["selection"] == dict(attest["pcrSelect"]) and list(said["selection"]) == [bank for bank, _ in attest["pcrSelect"]]
    assert [said[key] for key in ("pcr_digest", "extra_data", "clock", "reset_count", "restart_count", "firmware_version")] == \
        [attest[key] for key in ("pcrDigest", "extraData", "clock", "resetCount", "restartCount", "firmwareVersion")]
    assert said["qualified_signer"] == attest["qualifiedSigner"] and said["safe"] == bool(attest["safe"])
    assert (said["signature_scheme"], said["hash"]) == (entry["signature_algorithm"], entry["signature_hash"])
    if "ak_name" in entry:
        assert said["ak_name"] == entry["ak_name"]
    bench.assert_reasons(quote, "quote_nonce_mismatch", nonce=entry["nonce_hex"] + "00")


def guard(name, log=0):
    """A machine's quote with its nonce, and one of its event logs."""
    entry = next(e for e in expected("guard-oss", "expected_quotes.json") if name in e["file"])
    return entry, unpack("guard-oss", entry), real("guard-oss", entry["file"].replace("evidence.json", f"log{log}.bin"))


@pytest.mark.parametrize("name", ["DESKTOP-MIMU51J", "latitude-7520"])
def test_event_log_of_a_real_machine_replays_to_what_it_quoted(bench, name):
    entry, quote, log = guard(name)
    for pcrs in (quote.pcrs, None):
        said = bench.judge(quote, "--eventlog", log, nonce=entry["nonce_hex"], pcrs=pcrs).json
        assert said["valid"] is True and said["event_log"]["replays"] is True
        assert said["event_log"]["banks"]["sha256"] == {"replays": list(range(24)), "differs": [], "not_in_log": [], "capped": []}
    assert bench.assert_valid(quote)["event_log"] is None


def test_only_the_log_of_the_last_resume_explains_the_quote(bench):
    for index, differs in ((0, [12, 13, 14]), (1, [12]), (2, [12]), (3, [12]), (4, [])):
        entry, quote, log = guard("dell-notebook-5eventlogs", index)
        with_values = bench.judge(quote, "--eventlog", log, nonce=entry["nonce_hex"], pcrs=quote.pcrs).json
        assert with_values["event_log"]["banks"]["sha256"]["differs"] == differs
        assert with_values["reasons"] == (["event_log_replay_mismatch"] if differs else [])
        alone = bench.judge(quote, "--eventlog", log, nonce=entry["nonce_hex"])
        assert alone.json["valid"] is not bool(differs) and alone.status == (1 if differs else 0)
        assert not differs or ("--pcrs" in alone.json["explanations"][0] and alone.json["event_log"]["banks"] is None)


def test_userspace_log_counts_as_far_as_the_quote_bears_it_out(bench):
    entry, quote, log = guard("latitude-7520")

    def judge(register):
        record = json.dumps({**register, "digests": [{"hashAlg": "sha256", "digest": "11" * 32}]})
        return bench.judge(quote, "--eventlog", log, "--userspace-log", bench.write("userspace", record), nonce=entry["nonce_hex"],
                           pcrs=quote.pcrs)
    assert judge({"nv_index": 0x1d10200}).json["valid"] is True, "no quote covers NV indexes"
    said = judge({"pcr": 15}).json
    assert said["reasons"] == ["event_log_replay_mismatch"] and said["event_log"]["banks"]["sha256"]["differs"] == [15]
    torn = bench.judge(quote, "--eventlog", log, "--userspace-log", bench.write("torn", "{"), nonce=entry["nonce_hex"])
    assert torn.status == 2 and "the last record is cut off" in torn.stderr
    alone = bench.judge(quote, "--userspace-log", bench.write("userspace", "{}"), nonce=entry["nonce_hex"])
    assert alone.status == 2 and "without --eventlog" in alone.stderr


@pytest.mark.parametrize("name", ["IMN-SUPERMICRO-no-epp", "IMN-SUPERMICRO-WBCL"])
def test_bank_that_windows_capped_is_named_and_the_other_believed(bench, name):
    entry, quote, log = guard(name)
    said = bench.judge(quote, "--eventlog", log, nonce=entry["nonce_hex"], pcrs=quote.pcrs).json
    banks = said["event_log"]["banks"]
    assert said["valid"] is True and banks["sha256"]["replays"] == list(range(24)) and banks["sha256"]["capped"] == []
    assert banks["sha1"]["differs"] == list(range(8)) and set(range(8)) <= set(banks["sha1"]["capped"])
    only_capped = {"sha1": quote.pcrs["sha1"], "sha256": {pcr: "11" * 32 for pcr in quote.pcrs["sha256"]}}
    assert bench.judge(quote, "--eventlog", log, pcrs=only_capped).json["reasons"] == \
        ["quote_pcr_digest_mismatch", "event_log_replay_mismatch"]


def test_event_log_with_one_digest_altered_explains_nothing(bench):
    entry, quote, log = guard("latitude-7520")
    content = bytearray(open(log, "rb").read())
    events = json.loads(evidence("eventlog", log, "--json").stdout)["events"]
    event = next(e for e in events if e["pcr"] == 4 and e["digests"].get("sha256"))
    digest = bytes.fromhex(event["digests"]["sha256"])
    content[content.index(digest, event["offset"])] ^= 1
    said = bench.judge(quote, "--eventlog", bench.write("log", content.hex()), nonce=entry["nonce_hex"], pcrs=quote.pcrs).json
    assert said["reasons"] == ["event_log_replay_mismatch"] and said["event_log"]["banks"]["sha256"]["differs"] == [4]


def test_event_log_without_the_events_of_a_pcr_explains_nothing(bench):
    """Left out rather than altered: the log says nothing of PCR 4, but the TPM measured something into it."""
    entry, quote, log = guard("latitude-7520")
    content = open(log, "rb").read()
    events = json.loads(evidence("eventlog", log, "--json").stdout)["events"]
    ends = [event["offset"] for event in events[1:]] + [len(content)]
    kept = content[:events[0]["offset"]] + b"".join(content[event["offset"]:end] for event, end in zip(events, ends) if event["pcr"] != 4)
    assert len(kept) < len(content)
    said = bench.judge(quote, "--eventlog", bench.write("log", kept), nonce=entry["nonce_hex"], pcrs=quote.pcrs).json
    bank = said["event_log"]["banks"]["sha256"]
    assert said["reasons"] == ["event_log_replay_mismatch"] and (bank["differs"], bank["not_in_log"]) == ([], [4])


def test_quote_of_nothing_but_a_capped_bank_is_explained_by_no_log(bench):
    """As Windows leaves a bank that it does not use: the log's value, extended once by zeros. Anything could have been measured since."""
    _, _, log = guard("latitude-7520")
    own = QuotingTpm()
    try:
        events = json.loads(evidence("eventlog", log, "--json").stdout)["events"]
        for event in events[1:]:
            if event["pcr"] == 7 and event["type"] != EV_NO_ACTION:
                own.tool("tpm2_pcrextend", f"7:sha256={event['digests']['sha256']}")
        said = bench.judge(own.quote("p256", selection="sha256:7"), "--eventlog", log).json
        assert said["valid"] is True and said["event_log"]["banks"]["sha256"]["replays"] == [7]
        own.tool("tpm2_pcrextend", "7:sha256=" + "00" * 32)
        quote = own.quote("p256", selection="sha256:7")
        said = bench.judge(quote, "--eventlog", log, pcrs=quote.pcrs).json
        assert said["reasons"] == ["event_log_replay_mismatch"] and said["event_log"]["banks"]["sha256"]["capped"] == [7]
    finally:
        own.remove()


def test_event_log_that_is_none_is_named_with_the_offset(bench):
    _, quote, _ = guard("latitude-7520")
    outcome = bench.judge(quote, "--eventlog", bench.write("log", b"\x01" * 40))
    assert outcome.status == 2 and outcome.stdout == "" and "[event_log_unreadable]" in outcome.stderr and "byte offset" in outcome.stderr


def test_quote_without_a_nonce_is_no_answer_to_one(bench):
    entry = expected("veraison", "expected_quotes.json")[0]
    quote = unpack("veraison", entry)
    assert bench.assert_valid(quote)["nonce_checked"] is False
    bench.assert_reasons(quote, "quote_nonce_mismatch", nonce="00112233")


def test_tpm12_quote_is_refused_by_name(bench):
    document = json.loads(read("go-attestation", "eventlogs/linux_tpm12.json"))
    attest = base64.b64decode(find(document, "Quote"))
    signature = base64.b64decode(find(document, "Signature"))
    assert b"QUOT" in attest
    keylime = unpack(*REAL_QUOTES[0])
    said = bench.assert_reasons(Quote(attest, signature, keylime.ak), "quote_type")
    assert "TPM 1.2" in said["explanations"][0] and said["selection"] is None and FIELDS <= set(said)


def find(value, key):
    """The first member of this name, however deep."""
    if isinstance(value, dict):
        if isinstance(value.get(key), str):
            return value[key]
        value = list(value.values())
    for inner in value if isinstance(value, list) else []:
        if (found := find(inner, key)) is not None:
            return found
    return None


# -- a TPM's own -----------------------------------------------------------------------------------------------------------

KEYS = {"rsassa": ("rsa", "rsassa"), "rsapss": ("rsa", "rsapss"), "p256": ("ecc", "ecdsa"), "p384": ("ecc384", "ecdsa")}
NONCE = "00112233445566778899aabbccddeeff"


class QuotingTpm:
    def __init__(self):
        self.tpm = Tpm()
        self.made = set()

    def remove(self):
        self.tpm.remove()

    def tool(self, *arguments):
        """With room for the objects it loads: nothing keeps them for us without a resource manager."""
        self.tpm.tool("tpm2_flushcontext", "-t")
        self.tpm.tool(*arguments)

    def ak(self, kind, digest="sha256"):
        """Makes it once; its name in the folder."""
        name = f"{kind}-{digest}"
        if name not in self.made:
            algorithm, scheme = KEYS[kind]
            self.tool("tpm2_createek", "-G", "rsa", "-c", "ek.ctx", "-u", "ek.pub")
            self.tool("tpm2_createak", "-C", "ek.ctx", "-c", name + ".ctx", "-G", algorithm, "-g", digest, "-s", scheme,
                          "-u", name + ".pub", "-f", "tss", "-n", name + ".name")
            self.tool("tpm2_readpublic", "-c", name + ".ctx", "-f", "pem", "-o", name + ".pem")
            self.made.add(name)
        return name

    def quote(self, kind="p256", digest="sha256", selection="sha256:0,1,2,3,4,5,6,7", nonce=NONCE, form="tss", pcrs="serialized"):
        ak = self.ak(kind, digest)
        self.tool("tpm2_quote", "-c", ak + ".ctx", "-l", selection, "-q", nonce, "-m", "quote", "-s", "signature",
                  "-f", form, "-o", "pcrs", "-F", pcrs, "-g", digest, "--scheme", KEYS[kind][1])
        return Quote(self.tpm.read("quote"), self.tpm.read("signature"), self.tpm.read(ak + ".pub"), self.tpm.read("pcrs"))

    def pem(self, kind, digest="sha256"):
        return self.tpm.read(self.ak(kind, digest) + ".pem")


@pytest.fixture(scope="module")
def tpm():
    made = QuotingTpm()
    yield made
    made.remove()


@pytest.mark.parametrize("kind, scheme", [("rsassa", "RSASSA"), ("rsapss", "RSAPSS"), ("p256", "ECDSA"), ("p384", "ECDSA")])
@pytest.mark.parametrize("digest", ["sha256", "sha384"])
def test_every_scheme_is_checked_with_every_form_of_key_and_signature(bench, tpm, kind, scheme, digest):
    for form in ("tss", "plain"):
        quote = tpm.quote(kind, digest, form=form)
        tpmt = quote.ak[2:]
        for ak in (quote.ak, tpmt, tpm.pem(kind, digest), quote.ak.hex(), base64.b64encode(tpmt)):
            said = bench.assert_valid(quote, ak=ak, nonce=NONCE, pcrs=quote.pcrs)
            assert (said["signature_scheme"], said["hash"]) == (scheme, digest)
            assert said["selection"] == {"sha256": list(range(8))}
    assert bench.assert_valid(quote)["ak_name"] == tpm.tpm.read(f"{kind}-{digest}.name").hex()


def test_key_of_a_certificate_is_taken(bench, tpm):
    quote = tpm.quote("p256")
    spki = base64.b64decode(b"".join(tpm.pem("p256").splitlines()[1:-1]))
    bench.assert_valid(quote, ak=spki)
    mint = Mint()
    try:
        certificate = mint.certificate(x.common_name("AK"), spki, x.common_name("CA"), mint.key("CA"), x.ek_extensions("digitalSignature"))
    finally:
        mint.remove()
    assert bench.assert_valid(quote, ak=certificate)["key"] == "P-256"
    pem = b"-----BEGIN CERTIFICATE-----\n" + base64.encodebytes(certificate) + b"-----END CERTIFICATE-----\n"
    bench.assert_valid(quote, ak=pem)


def test_files_may_be_text(bench, tpm):
    quote = tpm.quote("rsassa")
    for encode in (lambda b: b.hex(), lambda b: b.hex().upper() + "\n", base64.b64encode, base64.encodebytes,
                   lambda b: base64.urlsafe_b64encode(b).rstrip(b"=")):
        bench.assert_valid(quote, attest=encode(quote.attest), signature=encode(quote.signature), ak=encode(quote.ak),
                           pcrs=encode(quote.pcrs), nonce=NONCE)
    bench.assert_valid(quote, attest=sized(quote.attest))  # TPM2B_ATTEST


def test_rsa_key_without_its_algorithm_is_taken(bench, mint):
    quote = signed(mint, attest_of(), "rsa2048")
    run("openssl", "rsa", "-in", mint.key("rsa2048", "rsa2048").path, "-RSAPublicKey_out", "-out", str(bench.folder / "pkcs1"))
    bench.assert_valid(quote, ak=(bench.folder / "pkcs1").read_bytes())


def test_keylime_and_go_attestation_keep_everything_in_one_file(bench, tpm):
    quote = tpm.quote("rsassa")
    encoded = {name: base64.b64encode(part).decode() for name, part in
               (("Quote", quote.attest), ("Signature", quote.signature), ("pcrs", quote.pcrs), ("Public", quote.ak[2:]), ("aik_tpm", quote.ak))}
    keylime = f"r{encoded['Quote']}:{encoded['Signature']}:{encoded['pcrs']}"
    answer = json.dumps({"code": 200, "status": "Success", "results": {"quote": keylime, "hash_alg": "sha256"}})
    for text in (keylime, answer):
        bench.assert_valid(quote, attest=text, signature=text, pcrs=text, ak=json.dumps({"aik_tpm": encoded["aik_tpm"]}), nonce=NONCE)
    go = json.dumps({"TPMVersion": 2, "Public": encoded["Public"],
                     "Quotes": [{"Version": 2, "Quote": encoded["Quote"], "Signature": encoded["Signature"]}]})
    bench.assert_valid(quote, attest=go, signature=go, ak=go, nonce=NONCE)
    bench.assert_unreadable(quote, "field_missing", attest=json.dumps({"nothing": 1}))


def raw_ecdsa(tpmt, width):
    r_size = int.from_bytes(tpmt[4:6], "big")
    r = tpmt[6:6 + r_size]
    s = tpmt[8 + r_size:]
    return r.rjust(width, b"\0") + s.rjust(width, b"\0")


@pytest.mark.parametrize("kind, width", [("p256", 32), ("p384", 48)])
def test_raw_ecdsa_signatures_are_taken(bench, tpm, kind, width):
    quote = tpm.quote(kind)
    raw = raw_ecdsa(quote.signature, width)
    bench.assert_valid(quote, signature=raw)
    bench.assert_valid(quote, signature=raw, ak=tpm.pem(kind))
    bench.assert_reasons(quote, "quote_signature_invalid", signature=raw[width:] + raw[:width])


def test_banks_are_shown_in_the_tpms_order(bench, tpm):
    for selection in ("sha256:0,23+sha384:1,2,16", "sha384:1,2,16+sha256:0,23"):
        quote = tpm.quote("p256", selection=selection)
        said = bench.assert_valid(quote, pcrs=quote.pcrs)
        assert list(said["selection"].items()) == [(part.split(":")[0], [int(i) for i in part.split(":")[1].split(",")])
                                                   for part in selection.split("+")]


# Where in tpm2-tools' dump of 48 digests the first byte of the first and the last of the last are: behind the selection and the
# number of lists come six lists of a number and eight digests, each a length and 64 bytes.
DUMP_FIRST = 132 + 4 + 4 + 2
DUMP_LAST = 132 + 4 + 5 * 532 + 4 + 7 * 66 + 2 + 47


def test_all_pcrs_of_two_banks_are_compared(bench, tpm):
    """More than eight digests take more than one list in the file."""
    every = ",".join(map(str, range(24)))
    selection = f"sha256:{every}+sha384:{every}"
    for form in ("serialized", "values"):
        quote = tpm.quote("p256", selection=selection, pcrs=form)
        bench.assert_valid(quote, pcrs=quote.pcrs)
        first, last = (0, len(quote.pcrs) - 1) if form == "values" else (DUMP_FIRST, DUMP_LAST)
        for place in (first, last):
            altered = bytearray(quote.pcrs)
            altered[place] ^= 1
            bench.assert_reasons(quote, "quote_pcr_digest_mismatch", pcrs=bytes(altered))


def test_pcr_values_are_compared_with_the_quoted_digest(bench, tpm):
    quote = tpm.quote("p256", selection="sha256:0,7", pcrs="values")
    zero, seven = quote.pcrs[:32].hex(), quote.pcrs[32:].hex()
    bench.assert_valid(quote, pcrs={"sha256": {"0": zero, "7": seven}})
    bench.assert_valid(quote, pcrs={"sha256": {"0": "0x" + zero.upper(), "7": seven, "9": zero}, "sha384": {"0": "00" * 48}})
    bench.assert_reasons(quote, "quote_pcr_digest_mismatch", pcrs={"sha256": {"0": zero, "7": "11" * 32}})
    bench.assert_reasons(quote, "pcr_values_invalid", pcrs={"sha256": {"0": zero}})
    for bad in ({"sha256": {"24": zero}}, {"sha256": {"00": zero}}, {"sha256": {"0": zero[:-2]}}, {"md5": {"0": zero}},
                {"sha256": [zero]}, "{", b"\x00" * 63):
        bench.assert_unreadable(quote, "pcrs", pcrs=bad)


def test_what_pcrread_prints_is_compared(bench, tpm):
    quote = tpm.quote("p256", selection="sha256:0,7+sha384:1", pcrs="values")
    printed = run("tpm2_pcrread", "-T", tpm.tpm.tcti, "sha256:0,7+sha384:1").stdout
    assert "sha384:" in printed
    bench.assert_valid(quote, pcrs=printed)
    bench.assert_valid(quote, pcrs=printed.replace("\n", "\r\n").replace(":", " :"))
    bench.assert_reasons(quote, "quote_pcr_digest_mismatch", pcrs=re.sub(r"7 *: 0x..", "7 : 0x99", printed))
    for bad in ("sha256:\n", "7 : 0x" + "00" * 32, "sha256:\n 07 : " + "00" * 32, "sha256:\n 7 : 00", "md5:\n", "hello\n"):
        bench.assert_unreadable(quote, "pcr_values_invalid", pcrs=bad)


def test_values_may_begin_with_a_brace(bench, mint):
    value = b"{" + bytes(31)
    quote = signed(mint, attest_of(selection=((0x000b, 1),), digest=hashlib.sha256(value).digest()))
    bench.assert_valid(quote, pcrs=value)


def test_nonce_must_be_the_one_quoted(bench, tpm):
    quote = tpm.quote("p256")
    bench.assert_valid(quote, nonce=NONCE.upper())
    for nonce in ("", "00", NONCE[:-2], NONCE + "00", NONCE[:-1] + "e", "00" * 67, "00" * 1024):
        bench.assert_reasons(quote, "quote_nonce_mismatch", nonce=nonce)
    bench.assert_unreadable(quote, "--nonce", nonce="0")
    bench.assert_unreadable(quote, "--nonce", nonce="xy")
    bench.assert_unreadable(quote, "--nonce", nonce="00" * 1025)


def test_no_flipped_bit_is_overlooked(bench, tpm):
    """All bits of everything are flipped in the unit tests; here some, through the whole command."""
    quote = tpm.quote("p256")
    for bit in spread(quote.attest, 24):
        assert bench.judge(quote, attest=flip(quote.attest, bit)).status in (1, 2)
    for bit in spread(quote.signature, 24):
        assert bench.judge(quote, signature=flip(quote.signature, bit)).status in (1, 2)


def test_key_that_is_not_an_ak_is_said(bench, tpm):
    tool = tpm.tool
    tool("tpm2_createprimary", "-C", "o", "-g", "sha256", "-G", "ecc", "-c", "srk.ctx")
    tool("tpm2_create", "-C", "srk.ctx", "-G", "ecc:ecdsa-sha256", "-a", "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign",
         "-u", "free.pub", "-r", "free.priv", "-c", "free.ctx")
    tool("tpm2_quote", "-c", "free.ctx", "-l", "sha256:0", "-m", "quote", "-s", "signature")
    quote = Quote(*(tpm.tpm.read(name) for name in ("quote", "signature", "free.pub")))
    bench.assert_reasons(quote, "ak_attributes")


def test_other_attestations_are_refused_by_name(bench, tpm):
    ak = tpm.ak("p256")
    tpm.tool("tpm2_certify", "-c", ak + ".ctx", "-C", ak + ".ctx", "-g", "sha256", "-o", "certify", "-s", "certify.sig")
    tpm.tool("tpm2_gettime", "-c", ak + ".ctx", "-g", "sha256", "--attestation", "time", "-o", "time.sig")
    for name, called in (("certify", "key certification"), ("time", "time attestation")):
        said = bench.assert_reasons(Quote(tpm.tpm.read(name), tpm.tpm.read(name + ".sig"), tpm.tpm.read(ak + ".pub")), "quote_type")
        assert called in said["explanations"][0] and said["pcr_digest"] == ""


# -- forged ----------------------------------------------------------------------------------------------------------------

def attest_of(magic=0xff544347, kind=QUOTE_TYPE, selection=((0x000b, 0x0000ff),), digest=bytes(32), extra=b"nonce", tail=b"", safe=1):
    banks = b"".join(struct.pack(">HB", bank, 3) + mask.to_bytes(3, "little") for bank, mask in selection)
    return (struct.pack(">IH", magic, kind) + sized(b"\x00\x0b" + bytes(32)) + sized(extra) + struct.pack(">QIIBQ", 7, 1, 2, safe, 3) +
            struct.pack(">I", len(selection)) + banks + sized(digest) + tail)


@pytest.fixture(scope="module")
def mint():
    made = Mint()
    yield made
    made.remove()


def signed(mint, attest, kind="P-256", digest="sha256", pss=False):
    key = mint.key(kind, kind)
    return Quote(attest, key.sign(attest, digest, pss), key.spki)


@pytest.mark.parametrize("kind, pss, scheme", [("rsa2048", False, "RSASSA"), ("rsa2048", True, "RSAPSS"), ("rsa3072", False, "RSASSA"),
                                               ("P-256", False, "ECDSA"), ("P-521", False, "ECDSA")])
@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
def test_scheme_and_hash_of_an_unnamed_signature_are_found(bench, mint, kind, pss, scheme, digest):
    said = bench.assert_valid(signed(mint, attest_of(), kind, digest, pss))
    assert (said["signature_scheme"], said["hash"]) == (scheme, digest)


@pytest.mark.parametrize("kind", ["rsa2048", "P-256"])
def test_sha1_is_refused_in_every_form(bench, mint, kind):
    quote = signed(mint, attest_of(), kind, "sha1")
    bench.assert_reasons(quote, "quote_hash_refused")
    scheme = 0x0014 if kind == "rsa2048" else 0x0018
    if kind == "rsa2048":
        bench.assert_reasons(quote, "quote_hash_refused", signature=struct.pack(">HH", scheme, 4) + sized(quote.signature))


@pytest.mark.parametrize("scheme, called", [(0x001a, "ECDAA"), (0x001b, "SM2"), (0x001c, "ECSCHNORR"), (0x0005, "HMAC"), (0x0010, None)])
def test_other_schemes_are_refused_by_name(bench, mint, scheme, called):
    quote = signed(mint, attest_of())
    numbers = {0x0005: struct.pack(">H", 11) + bytes(32), 0x0010: b""}.get(scheme, struct.pack(">H", 11) + sized(b"\1" * 32) * 2)
    said = bench.assert_reasons(quote, "quote_scheme_refused", signature=struct.pack(">H", scheme) + numbers)
    assert said["signature_scheme"] == called


def test_signature_of_a_key_of_another_type_does_not_verify(bench, mint):
    rsa, ecc = signed(mint, attest_of(), "rsa2048"), signed(mint, attest_of())
    bench.assert_reasons(rsa, "quote_signature_invalid", ak=ecc.ak)
    bench.assert_reasons(ecc, "quote_signature_invalid", ak=rsa.ak)
    bench.assert_reasons(rsa, "quote_signature_invalid", ak=mint.key("rsa3072", "rsa3072").spki)


def test_signature_may_stand_behind_its_length(bench, mint):
    quote = signed(mint, attest_of(), "rsa2048")
    bench.assert_valid(quote, signature=sized(quote.signature))
    bench.assert_valid(quote, signature=sized(struct.pack(">HH", 0x0014, 0x000b) + sized(quote.signature)))


@pytest.mark.parametrize("changes, reasons", [
    ({"magic": 0xff544348}, ["quote_magic"]),
    ({"magic": 0xff544348, "kind": 0x8017}, ["quote_magic"]),
    ({"kind": 0x8017}, ["quote_type"]),
    ({"selection": ()}, ["quote_selection_mismatch"]),
    ({"selection": ((0x000b, 0),)}, ["quote_selection_mismatch"]),
])
def test_genuinely_signed_nonsense_is_refused(bench, mint, changes, reasons):
    bench.assert_reasons(signed(mint, attest_of(**changes)), *reasons)


def test_all_reasons_are_said_at_once(bench, mint):
    quote = signed(mint, attest_of())
    quote.signature = mint.key("other").sign(quote.attest)
    bench.assert_reasons(quote, "quote_signature_invalid", "quote_nonce_mismatch", "quote_pcr_digest_mismatch", nonce="00",
                         pcrs={"sha256": {str(i): "00" * 32 for i in range(8)}})


def test_empty_selection_of_an_unknown_bank_is_passed_over(bench, mint):
    said = bench.assert_valid(signed(mint, attest_of(selection=((0x0030, 0), (0x000b, 1), (0x000c, 0)))))
    assert said["selection"] == {"sha256": [0]}
    bench.assert_unreadable(signed(mint, attest_of(selection=((0x0030, 1),))), "at byte 74")


def test_banks_of_sm3_and_sha3_are_compared(bench, mint):
    """The digest is over the values, whatever hash made them."""
    values = {"sm3_256": {"0": "11" * 32, "7": "22" * 32}, "sha3_512": {"1": "33" * 64}, "sha256": {"23": "44" * 32}}
    digest = hashlib.sha256(b"".join(bytes.fromhex(value) for bank in values.values() for value in bank.values())).digest()
    quote = signed(mint, attest_of(selection=((0x0012, 0x81), (0x0029, 2), (0x000b, 1 << 23)), digest=digest))
    said = bench.assert_valid(quote, pcrs=values)
    assert list(said["selection"].items()) == [("sm3_256", [0, 7]), ("sha3_512", [1]), ("sha256", [23])]
    values["sm3_256"]["7"] = "23" * 32
    bench.assert_reasons(quote, "quote_pcr_digest_mismatch", pcrs=values)


@pytest.mark.parametrize("attest, offset", [
    (attest_of(tail=b"x"), len(attest_of())),
    (attest_of()[:-1], len(attest_of()) - 34),
    (attest_of(safe=2), 65),
    (b"\xff\x54", 0),
])
def test_unreadable_quote_is_answered_with_the_byte(bench, mint, attest, offset):
    quote = signed(mint, attest)
    outcome = bench.assert_unreadable(quote, "quote_unreadable")
    assert f"at byte {offset}:" in outcome.stderr, outcome


def test_unreadable_signature_and_key_are_answered_as_such(bench, mint):
    quote = signed(mint, attest_of())
    bench.assert_unreadable(quote, "quote_signature_unreadable", signature=quote.signature + b"\0")
    bench.assert_unreadable(quote, "quote_signature_unreadable", signature=b"\x01" * 40)
    bench.assert_unreadable(quote, "ak_unreadable", ak=b"hello")
    bench.assert_unreadable(quote, "ak_unreadable", ak=quote.ak[:-1])


def test_key_of_another_type_or_size_is_refused(bench, mint):
    quote = signed(mint, attest_of(), "rsa1024")
    bench.assert_reasons(quote, "ak_algorithm")


def test_missing_options_are_a_matter_of_usage():
    outcome = evidence("quote", "--quote", "/dev/null")
    assert outcome.status == 2 and "signature" in outcome.stderr
