#!/usr/bin/python3
"""Merges real and generated Talos bases with talos_merge and checks that exactly what should change did.

Scalars are compared as the text they are written as (no resolution of types), so that a 0444 that became 292 or a "true"
that lost its quotes would show.
"""
import argparse
import copy
import difflib
import glob
import json
import os
import random
import subprocess
import sys
import unittest

import jsonschema
import yaml

MACHINE_ID = "6f1c1b9e-1d7e-4d8e-9d55-0123456789ab"
FINGERPRINT = "0123456789abcdef" * 6
IMAGE = "ghcr.io/example/installer:v1.13.0"
ARGS = argparse.Namespace()


def quoted(text):
    return (False, text)


def plain(text):
    return (True, text)


def load(text):
    def convert(node):
        if isinstance(node, yaml.MappingNode):
            return {key.value: convert(value) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [convert(item) for item in node.value]
        return (node.style is None, node.value)

    return [convert(node) for node in yaml.compose_all(text, Loader=yaml.BaseLoader) if node is not None]


def values(text):
    return list(yaml.safe_load_all(text))


def merge(base, role, hostname="", address="", image=""):
    done = subprocess.run(
        [ARGS.merge, "merge", MACHINE_ID, role, hostname, address, FINGERPRINT, "cluster-1", image],
        input=base.encode(), capture_output=True, check=False, timeout=30)
    if done.returncode != 0:
        raise ValueError(done.stderr.decode().strip())
    return done.stdout.decode()


def is_empty(value):
    return value in ({}, [], None) or (isinstance(value, tuple) and value[0] and value[1] in ("", "~", "null"))


def section(parent, key):
    if is_empty(parent.get(key)):
        parent[key] = {}
    return parent[key]


def expected(documents, hostname, address, image):
    """What the contract says (B.3.3, and Talos' own rule about HostnameConfig), done on the parsed documents."""
    documents = copy.deepcopy(documents)
    main = next(d for d in documents if "kind" not in d)
    machine = main["machine"]
    hostnames = [d for d in documents if d.get("kind", plain(""))[1] == "HostnameConfig"]
    if hostname and hostnames:
        if isinstance(machine.get("network"), dict):
            machine["network"].pop("hostname", None)
        hostnames[0].pop("auto", None)
        hostnames[0]["hostname"] = quoted(hostname)
    elif hostname:
        section(machine, "network")["hostname"] = quoted(hostname)
    if address:
        network = section(machine, "network")
        if is_empty(network.get("interfaces")):
            network["interfaces"] = [{"interface": plain("eth0"), "addresses": [quoted(address)], "routes": []}]
        else:
            first = network["interfaces"][0]
            if is_empty(first.get("addresses")):
                first["addresses"] = []
            if address not in [item[1] for item in first["addresses"]]:
                first["addresses"].append(quoted(address))
    section(machine, "nodeLabels").update({
        "itl.io/machine-id": quoted(MACHINE_ID),
        "itl.io/tpm-ek": quoted(FINGERPRINT[:16]),
        "itl.io/attested": quoted("true")})
    section(machine, "nodeAnnotations").update({
        "itl.io/tpm-ek-full": quoted(FINGERPRINT),
        "itl.io/machine-id": quoted(MACHINE_ID)})
    if image and (is_empty(machine.get("install")) or is_empty(machine["install"].get("image"))):
        section(machine, "install")["image"] = quoted(image)
    return documents


def real_bases():
    paths = sorted(glob.glob(os.path.join(ARGS.data, "v1.*-base-*.yaml")))
    for path in paths:
        with open(path, encoding="utf-8") as file:
            yield os.path.basename(path), file.read(), "controlplane" if "controlplane" in path else "worker-infra"


FACTS = [
    {"hostname": "node-1.example.org", "address": "10.0.0.7/24", "image": IMAGE},
    {"hostname": "node-1", "address": "", "image": ""},
    {"hostname": "", "address": "2001:db8::7/64", "image": ""},
    {"hostname": "", "address": "", "image": IMAGE},
    {"hostname": "", "address": "", "image": ""},
]


class RealBases(unittest.TestCase):
    def test_all_four_bases_are_there(self):
        self.assertEqual(len(list(real_bases())), 4)

    def test_nothing_but_the_intended_keys_changes(self):
        for name, base, role in real_bases():
            for facts in FACTS:
                with self.subTest(base=name, facts=facts):
                    self.assertEqual(load(merge(base, role, **facts)), expected(load(base), **facts))

    def test_lines_of_the_base_stay_as_they_are(self):
        for name, base, role in real_bases():
            with self.subTest(base=name):
                merged = merge(base, role, **FACTS[0])
                gone = [line[2:].strip() for line in difflib.ndiff(base.splitlines(), merged.splitlines())
                        if line.startswith("- ")]
                self.assertLessEqual(set(gone), {"network: {}", "auto: stable"})

    def test_merging_again_changes_nothing(self):
        for name, base, role in real_bases():
            with self.subTest(base=name):
                merged = merge(base, role, **FACTS[0])
                self.assertEqual(load(merge(merged, role, **FACTS[0])), load(merged))

    def test_the_hostname_document_never_stands_beside_a_machine_hostname(self):
        for name, base, role in real_bases():
            with self.subTest(base=name):
                documents = values(merge(base, role, **FACTS[0]))
                document = next(d for d in documents if d.get("kind") == "HostnameConfig")
                self.assertEqual(document, {"apiVersion": "v1alpha1", "kind": "HostnameConfig",
                                            "hostname": "node-1.example.org"})
                self.assertNotIn("hostname", documents[0]["machine"]["network"])

    def test_a_base_of_the_other_role_is_refused(self):
        for name, base, role in real_bases():
            with self.subTest(base=name):
                with self.assertRaisesRegex(ValueError, "base_config_invalid"):
                    merge(base, "worker-app" if role == "controlplane" else "controlplane")


class Schema(unittest.TestCase):
    """The schema is that of Talos 1.14, which hides the keys of the machine document that 1.12 and 1.13 (and 1.14, as deprecated)
    still read. So the machine document may show only those keys as unknown that it had before or that the contract names."""

    OURS = {"nodeLabels", "nodeAnnotations", "network", "install", "env", "id", "persist"}

    def setUp(self):
        with open(os.path.join(ARGS.data, "config.schema.json"), encoding="utf-8") as file:
            schema = json.load(file)
        self.kinds = {"": "v1alpha1.Config", "HostnameConfig": "network.HostnameConfigV1Alpha1"}
        self.definitions = schema["$defs"]

    def errors(self, document):
        """Error messages by path; unknown keys each as (path, key)."""
        reference = {"$defs": self.definitions, "$ref": "#/$defs/" + self.kinds[document.get("kind", "")]}
        unknown, others = set(), []
        for error in jsonschema.Draft202012Validator(reference).iter_errors(document):
            if error.validator == "additionalProperties":
                for key in set(error.instance) - set(error.schema["properties"]):
                    unknown.add((tuple(error.path), key))
            else:
                others.append(error.message)
        return unknown, others

    def test_merged_documents_are_as_valid_as_their_bases(self):
        for name, base, role in real_bases():
            with self.subTest(base=name):
                before, after = values(base), values(merge(base, role, **FACTS[0]))
                for old, new in zip(before, after):
                    unknown_before, _ = self.errors(old)
                    unknown, others = self.errors(new)
                    self.assertEqual(others, [])
                    self.assertLessEqual({key for _, key in unknown - unknown_before}, self.OURS)
                self.assertEqual(self.errors(after[1]), (set(), []))

    def test_the_pending_document_is_valid_and_has_no_secret(self):
        text = subprocess.run([ARGS.merge, "pending", "https://attest.example.org:8443", "cluster-1"],
                              capture_output=True, check=True, timeout=30).stdout.decode()
        document, = values(text)
        unknown, others = self.errors(document)
        self.assertEqual(others, [])
        self.assertLessEqual({key for _, key in unknown}, self.OURS)
        self.assertEqual(document, {
            "version": "v1alpha1", "debug": False, "persist": True,
            "machine": {
                "type": "worker",
                "nodeLabels": {"itl.io/status": "pending-approval", "itl.io/managed-by": "talos",
                               "itl.io/flavor": "controlplane-stack"},
                "env": {"ITL_REG_URL": "https://attest.example.org:8443"}},
            "cluster": {"id": "cluster-1"}})


def dump(document, chance):
    """In a random style; texts quoted or not, but without tags, which merge refuses."""
    style = chance.choice([None, None, None, '"', "'"])

    class Dumper(yaml.SafeDumper):
        def represent_text(self, text):
            return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, Dumper.represent_text)
    return yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=chance.random() < 0.8,
                     indent=chance.choice([2, 4, 8]), width=chance.choice([40, 80, 100000]),
                     default_flow_style=chance.choice([False, False, False, None, True]))


def generated_base(chance):
    """A machine configuration of random content, written in a random style."""
    machine = {"type": "worker", "token": "d8cwfa.eyvpi0xwxyarbfid", "ca": {"crt": "LS0t" * 400, "key": ""}}
    if chance.random() < 0.7:
        machine["network"] = chance.choice([
            {}, None, {"hostname": "old"}, {"nameservers": ["1.1.1.1"]},
            {"interfaces": []},
            {"interfaces": None, "hostname": "old"},
            {"hostname": "old", "interfaces": [{"interface": "enp1s0", "dhcp": True}]},
            {"interfaces": [{"interface": "enp1s0", "addresses": []}, {"interface": "enp2s0"}]},
            {"interfaces": [{"addresses": ["10.0.0.7/24"], "interface": "x"}]},
            {"interfaces": [{"addresses": ["192.168.0.1/24", "fd00::1/64"], "mtu": 1500}, {"addresses": ["1.2.3.4/8"]}]},
        ])
    if chance.random() < 0.6:
        machine["nodeLabels"] = chance.choice([
            {}, None, {"a.b/c": "d"}, {"itl.io/attested": "false", "z": "0444"}, {"itl.io/machine-id": "x"}])
    if chance.random() < 0.4:
        machine["nodeAnnotations"] = chance.choice([{}, {"note": "caf\u00e9 \u2603 \U0001f600"}, {"text": "two\nlines\n"}])
    if chance.random() < 0.7:
        machine["install"] = chance.choice([{}, None, {"disk": "/dev/sda"}, {"image": "x:1"}, {"image": None, "wipe": False}])
    machine["files"] = [{"path": "/etc/\u00fc", "permissions": 0o444, "content": "#!/bin/sh\n  echo: \"x\"\n\n# no comment\n"}]
    names = list(machine)
    chance.shuffle(names)
    main = {"version": "v1alpha1", "machine": {name: machine[name] for name in names},
            "cluster": {"controlPlane": {"endpoint": "https://[::1]:6443"}, "list": [1, "2", 3.0, True, None, "null"]}}
    documents = [main]
    if chance.random() < 0.5:
        documents.append({"apiVersion": "v1alpha1", "kind": "HostnameConfig", **chance.choice(
            [{"auto": "stable"}, {"hostname": "older"}, {}])})
    if chance.random() < 0.5:
        documents.append({"apiVersion": "v1alpha1", "kind": "TimeSyncConfig", "text": "multi\nline", "list": []})
    chance.shuffle(documents)
    text = "---\n".join(dump(document, chance) for document in documents)
    if chance.random() < 0.3:
        text = "\n".join(line + chance.choice(["", "", " # a comment"]) if line.endswith(":") else line
                         for line in text.split("\n"))
    if chance.random() < 0.3:
        text = "# \u00e9 first\n" + text
    return text.rstrip("\n") if chance.random() < 0.2 else text


class GeneratedBases(unittest.TestCase):
    def test_every_layout_merges_to_what_is_expected(self):
        refused = 0
        for seed in range(ARGS.seeds):
            chance = random.Random(seed)
            base = generated_base(chance)
            facts = chance.choice(FACTS)
            with self.subTest(seed=seed):
                try:
                    merged = merge(base, "worker-app", **facts)
                except ValueError:
                    refused += 1
                    continue
                want = expected(load(base), **facts)
                self.assertEqual(load(merged), want, msg=f"\n{base}\n=== became ===\n{merged}")
        # An unusual layout may be refused, never changed wrongly; PyYAML's layouts are not unusual.
        self.assertEqual(refused, 0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--merge", required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--seeds", type=int, default=200)
    parser.parse_args(namespace=ARGS)
    unittest.main(argv=[sys.argv[0]])
