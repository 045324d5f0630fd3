"""Each test has an appliance and a machine of its own; what a whole run shares goes at its end."""

import shutil

import pytest

from appliance import Appliance, Node, VendorCa
from forgery import Workshop
from hostile import Evidence


@pytest.fixture
def appliance():
    with Appliance() as running:
        yield running


@pytest.fixture
def node(appliance):
    machine = Node(appliance)
    yield machine
    machine.remove()


@pytest.fixture(scope="module")
def lasting_appliance():
    """One for a file whose tests leave it as it was; at the end it is still the same processes with a valid log."""
    with Appliance() as running:
        running.break_glass()
        processes = running.children()
        yield running
        assert running.children() == processes
        assert running.audit_rows() == len(running.audit())


def approved(appliance):
    machine = Node(appliance)
    machine.admit()
    yield Evidence(machine)
    machine.remove()


@pytest.fixture(scope="module")
def victim(lasting_appliance):
    """An approved machine, never attested: it has no AK yet."""
    yield from approved(lasting_appliance)


@pytest.fixture(scope="module")
def member(lasting_appliance):
    """An attested machine with its AK."""
    for evidence in approved(lasting_appliance):
        assert evidence.attest().status == 200
        yield evidence


@pytest.fixture(scope="module")
def thief(lasting_appliance):
    """The attacker's own machine, with a genuine TPM and approved as well: the strongest starting point."""
    yield from approved(lasting_appliance)


@pytest.fixture
def workshop():
    made = Workshop()
    yield made
    made.remove()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failed test shows what its appliance logged."""
    report = (yield).get_result()
    if report.when == "call" and report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, Appliance):
                report.sections.append(("appliance log", value.log()[-6000:]))


def pytest_sessionfinish():
    if VendorCa.shared:
        shutil.rmtree(VendorCa.shared.folder, ignore_errors=True)
    if isinstance(Appliance.provisioned, str):
        shutil.rmtree(Appliance.provisioned, ignore_errors=True)
