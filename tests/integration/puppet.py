"""The appliance with hostile_front in the front's place: fixtures, and the channels through it."""

import os
import shutil
import socket

import pytest

import wire
from appliance import BIN, TOOLS, Appliance, Node, temporary_folder, wait_until
from hostile import Evidence
from requester import Requester


@pytest.fixture(scope="module")
def prepared():
    """An appliance with two attested machines, an open break-glass credential, and then the hostile front."""
    binaries = temporary_folder("itl-bin-")
    for name in os.listdir(BIN):
        shutil.copy(os.path.join(BIN, name), binaries)
    appliance = Appliance(binaries=binaries)
    appliance.start()
    nodes = [Node(appliance), Node(appliance)]
    appliance.break_glass(minutes=60)
    evidence = []
    for node in nodes:
        node.machine = node.admit()
        evidence.append(Evidence(node))
        answer = evidence[-1].attest()
        assert answer.json["status"] == "attested", answer
        Requester(evidence[-1], node.machine).certificate()
    pending = Node(appliance)
    pending.machine = pending.register().json["machine_id"]
    appliance.stop()
    shutil.copy(os.path.join(TOOLS, "hostile_front"), os.path.join(binaries, "itl-front"))
    appliance.start()
    appliance.nodes, appliance.evidence, appliance.pending = nodes, evidence, pending
    yield appliance
    appliance.remove()
    for node in nodes + [pending]:
        node.remove()
    shutil.rmtree(binaries)


@pytest.fixture
def hostile(prepared):
    """Started anew for each test: the supervisor's back-off would grow, and sequences start again at 1."""
    prepared.kill()  # an orderly stop waits for the front, and this one does not listen
    wait_until(lambda: nobody_listens(prepared.port), 10, "the listening socket to be gone")
    prepared.start()
    prepared.channels = []
    return prepared


def nobody_listens(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def open_channel(appliance, which):
    """The channel through this life of the front, whose requests count on from what it sent before."""
    sent = [channel.sequence for name, channel in appliance.channels if name == which]
    if appliance.channels:
        appliance.channels[-1][1].socket.close()  # the puppet serves one connection at a time
    connection = socket.create_connection(("127.0.0.1", appliance.port), timeout=10)
    channel = wire.Channel(connection, which, max(sent, default=0))
    appliance.channels.append((which, channel))
    return channel
