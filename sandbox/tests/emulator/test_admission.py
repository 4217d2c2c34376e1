"""What a page in a browser on this machine can send, and what it gets."""

import http.client
from collections.abc import Mapping

import pytest

from sandbox.tests.emulator.conftest import ACCOUNT, RunningEmulator

REQUESTS = [
    ("POST", "/sandbox-api/faults", b'{"kind": "throttle"}'),
    ("GET", "/sandbox-api/inventory", b""),
    ("POST", "/moto-api/reset", b""),
    ("POST", "/2015-03-31/functions/shop/invocations", b"{}"),
    ("POST", "/", b"Action=CreateVpc&CidrBlock=10.9.0.0/16&Version=2016-11-15"),
]
PAGES = [
    {"Host": "evil.example"},
    {"Host": "evil.example:80"},
    {"Host": "localhost.evil.example"},
    {"Host": "127.0.0.1.evil.example"},
    {"Host": "127.0.0.1@evil.example"},
    {"Host": "evillocalhost"},
    {"Host": "[::1"},
    {"Host": ""},
    {"Host": "169.254.169.254"},
    {"Origin": "https://evil.example", "Content-Type": "text/plain"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def _send(
    emulator: RunningEmulator, method: str, path: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    host, port = emulator.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.request(method, path, body, dict(headers))
    response = connection.getresponse()
    return response.status, response.read()


@pytest.mark.parametrize("headers", PAGES, ids=str)
def test_a_web_page_gets_nothing_done(emulator: RunningEmulator, headers: Mapping[str, str]) -> None:
    ec2 = emulator.client("ec2")
    before = {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]}
    for method, path, body in REQUESTS:
        status, said = _send(emulator, method, path, body, headers)
        assert status == 403, (path, said)
        assert b"the emulator answers" in said
    assert emulator.api("GET", "faults") == []
    assert {vpc["VpcId"] for vpc in ec2.describe_vpcs()["Vpcs"]} == before


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::1]", "LOCALHOST", f"{ACCOUNT}.localhost"])
@pytest.mark.parametrize("port", ["", ":4566"])
def test_every_name_of_this_machine_is_answered(emulator: RunningEmulator, name: str, port: str) -> None:
    status, _ = _send(emulator, "GET", "/sandbox-api/health", b"", {"Host": name + port})
    assert status == 200


def test_a_typed_address_is_answered(emulator: RunningEmulator) -> None:
    status, _ = _send(emulator, "GET", "/sandbox-api/health", b"", {"Sec-Fetch-Site": "none"})
    assert status == 200
