"""The front is taken over and says that machines shook hands with it. What the signer believes of that.

A handshake is put together here as the front could: everything but the client's signature is the front's own to write.
"""

import hashlib
import os
import struct

import pytest

from appliance import run
from puppet import hostile, open_channel, prepared  # the first and the last are fixtures
from requester import Requester

EXTENSION = 0xff4c
CLIENT_HELLO, SERVER_HELLO, EXTENSIONS, CERTIFICATE, REQUEST, VERIFY, FINISHED = 1, 2, 8, 11, 13, 15, 20
P384_SHA384 = 0x0503


def message(kind, body):
    return bytes([kind]) + struct.pack(">I", len(body))[1:] + body


def chain_of(der):
    entry = struct.pack(">I", len(der))[1:] + der + b"\0\0"
    return b"\0" + struct.pack(">I", len(entry))[1:] + entry


def der_of(path):
    return run("openssl", "x509", "-in", path, "-outform", "DER", "-out", path + ".der") and open(path + ".der", "rb").read()


class Forge:
    """Writes handshakes of a machine that has its certificate and key in its folder."""

    def __init__(self, appliance, index=0):
        self.appliance = appliance
        self.requester = Requester(appliance.evidence[index], appliance.nodes[index].machine)
        self.certificate = der_of(self.requester.path("enrollment.pem"))
        self.server = der_of(appliance.chain)

    def sign(self, transcript, key="node.key", context=b"TLS 1.3, client CertificateVerify"):
        self.requester.write("content", b" " * 64 + context + b"\0" + hashlib.sha384(transcript).digest())
        self.requester.openssl("dgst", "-sha384", "-sign", key, "-out", "content.sig", "content")
        return self.requester.read("content.sig")

    def handshake(self, anchor, *, certificate=None, server=None, signed=None, **signing):
        """`signed` is what the client signed, when that is another handshake than the one that is told."""
        extension = struct.pack(">HH", EXTENSION, len(anchor)) + anchor
        told = message(CLIENT_HELLO, os.urandom(200))
        told += message(SERVER_HELLO, b"\3\3" + os.urandom(32) + b"\0\x13\2\0")
        told += message(EXTENSIONS, b"\0\0")
        told += message(REQUEST, b"\0" + struct.pack(">H", len(extension)) + extension)
        told += message(CERTIFICATE, chain_of(server or self.server))
        told += message(VERIFY, struct.pack(">HH", P384_SHA384, 3) + b"any")
        told += message(FINISHED, os.urandom(48))
        told += message(CERTIFICATE, chain_of(certificate or self.certificate))
        signature = self.sign(signed or told, **signing)
        return told + message(VERIFY, struct.pack(">HH", P384_SHA384, len(signature)) + signature)

    def anchor(self):
        reason, reply = self.call("tls_anchor")
        assert reason == "ok" and len(reply["anchor"]) == 32
        return reply["anchor"]

    def call(self, name, **values):
        channel = open_channel(self.appliance, "api")
        reason, reply = channel.call(name, source_ip="127.0.0.1", **values)
        channel.socket.close()
        return reason, reply

    def expect(self, reason, handshake):
        before = [row["action"] for row in self.appliance.audit()]
        assert self.call("machine_self", handshake=handshake)[0] == reason
        assert self.call("enroll", handshake=handshake)[0] == reason
        after = [row["action"] for row in self.appliance.audit()]
        assert after == before + ["machine_self_refused", "enroll_refused"]


@pytest.fixture
def forge(hostile):
    return Forge(hostile)


def test_handshake_that_a_machine_had_with_this_front_counts(forge):
    """The control: these handshakes are well made. The machine did connect, so the front knows no more than it saw."""
    handshake = forge.handshake(forge.anchor())
    reason, reply = forge.call("machine_self", handshake=handshake)
    assert reason == "ok" and reply["machine"][0]["machine_id"].decode() == forge.requester.machine_id
    assert forge.call("enroll", handshake=handshake)[0] == "ok"


def test_certificate_alone_proves_nothing(forge):
    """It is public. The front signs with a key of its own, or with none."""
    forge.requester.key(name="own")
    forge.expect("client_handshake_invalid", forge.handshake(forge.anchor(), key="own.key"))
    forge.expect("client_handshake_invalid", forge.handshake(forge.anchor(), signed=b"something else that the machine signed"))


def test_handshake_of_another_time_is_refused(forge):
    """Anchors are the signer's: one of yesterday, or of the front's own making, is none."""
    forge.expect("client_handshake_expired", forge.handshake(os.urandom(32)))
    forge.expect("client_handshake_invalid", forge.handshake(b""))


def test_recorded_handshake_does_not_outlive_the_signer(forge, hostile):
    handshake = forge.handshake(forge.anchor())
    assert forge.call("machine_self", handshake=handshake)[0] == "ok"
    hostile.kill()
    hostile.start()
    hostile.channels = []
    forge.expect("client_handshake_expired", handshake)


def test_handshake_that_a_machine_had_with_another_server_is_refused(forge):
    """Somebody else's server asked the machine, with an anchor that anybody can get from us."""
    other = forge.requester
    other.key(name="server")
    other.openssl("req", "-x509", "-new", "-key", "server.key", "-subj", "/CN=localhost", "-days", "9", "-out", "server.pem")
    forge.expect("client_handshake_invalid", forge.handshake(forge.anchor(), server=der_of(other.path("server.pem"))))


def test_what_a_machine_signed_as_a_server_or_for_a_nonce_is_no_handshake(forge):
    forge.expect("client_handshake_invalid", forge.handshake(forge.anchor(), context=b"TLS 1.3, server CertificateVerify"))


def test_certificate_of_another_machine_does_not_fit_the_signature(forge, hostile):
    victim = Forge(hostile, 1).certificate
    forge.expect("client_handshake_invalid", forge.handshake(forge.anchor(), certificate=victim))


def test_certificate_of_no_ca_of_ours_is_refused(forge):
    own = forge.requester
    own.openssl("req", "-x509", "-new", "-key", "node.key", "-subj", "/CN=" + own.machine_id, "-days", "9", "-out", "self.pem")
    forge.expect("certificate_invalid", forge.handshake(forge.anchor(), certificate=der_of(own.path("self.pem"))))


@pytest.mark.parametrize("alter", [
    lambda h: h[:-1], lambda h: h + b"\0", lambda h: h[4 + 200:], lambda h: h + h, lambda h: b"\2" + h[1:], lambda h: b"\1\xff\xff\xff" + h[4:],
    lambda h: os.urandom(len(h)), lambda h: os.urandom(49152)],
    ids=["cut", "extended", "headless", "twice", "wrong_type", "huge_length", "noise", "much_noise"])
def test_malformed_handshake_is_refused_and_the_channel_lives(forge, alter):
    forge.expect("client_handshake_invalid", alter(forge.handshake(forge.anchor())))
