"""Each test has an appliance and a machine of its own; what a whole run shares goes at its end."""

import shutil

import pytest

from appliance import Appliance, Node, VendorCa


@pytest.fixture
def appliance():
    with Appliance() as running:
        yield running


@pytest.fixture
def node(appliance):
    machine = Node(appliance)
    yield machine
    machine.remove()


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
