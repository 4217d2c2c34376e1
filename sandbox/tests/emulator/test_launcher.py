import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
from pathlib import Path

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator, start


def test_health_names_the_process_and_its_incarnation(emulator: RunningEmulator) -> None:
    assert emulator.api("GET", "health") == {
        "url": emulator.url,
        "pid": emulator.pid,
        "incarnation": emulator.incarnation,
    }


def test_many_calls_share_one_connection(emulator: RunningEmulator) -> None:
    host, port = emulator.url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=10)
    connection.connect()
    local_port = connection.sock.getsockname()[1]
    for _ in range(3):
        connection.request(
            "POST", "/sandbox-api/faults", body=b"not json", headers={"Content-Type": "text/x"}
        )
        response = connection.getresponse()
        assert response.status == 400
        response.read()
        assert connection.sock is not None
        assert connection.sock.getsockname()[1] == local_port


def test_a_simple_call_takes_milliseconds(emulator: RunningEmulator) -> None:
    ec2 = emulator.client("ec2")
    ec2.describe_vpcs()
    durations = []
    for _ in range(20):
        started = time.perf_counter()
        ec2.describe_vpcs()
        durations.append(time.perf_counter() - started)
    # About 2.5 ms on an idle machine. The best of twenty is what a busy machine does not blur.
    assert min(durations) < 0.012


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_on_a_signal(tmp_path: Path, number: signal.Signals) -> None:
    process, running = start(tmp_path)
    running.client("sts").get_caller_identity()
    process.send_signal(number)
    assert process.wait(10) == 0


def test_it_ends_with_its_parent(tmp_path: Path) -> None:
    parent = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    process, _ = start(tmp_path, "--parent-pid", str(parent.pid))
    parent.kill()
    parent.wait()
    assert process.wait(10) == 0


def test_a_taken_port_is_told(emulator: RunningEmulator) -> None:
    port = emulator.url.rsplit(":", 1)[1]
    command = [sys.executable, "-m", "cloudcommerce_sandbox.emulator", "--port", port]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert f"cannot listen on 127.0.0.1:{port}" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize("host", ["0.0.0.0", "192.0.2.1", "example.com"])
def test_only_loopback_is_served(host: str) -> None:
    command = [sys.executable, "-m", "cloudcommerce_sandbox.emulator", "--host", host]
    result = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert result.returncode == 1
    assert "not a loopback address" in result.stderr


def test_every_process_is_a_new_incarnation(tmp_path: Path, emulator: RunningEmulator) -> None:
    process, other = start(tmp_path)
    os.kill(process.pid, signal.SIGTERM)
    process.wait(10)
    assert other.incarnation != emulator.incarnation


def test_calls_are_recorded_and_counted(emulator: RunningEmulator) -> None:
    emulator.api("DELETE", "calls")
    emulator.client("kms").list_keys()
    with pytest.raises(Exception, match="not found"):
        emulator.client("rds").describe_db_instances(DBInstanceIdentifier="absent")
    calls = emulator.api("GET", "calls")
    assert calls["total"] == 2
    assert calls["operations"]["kms:ListKeys"]["count"] == 1
    assert calls["operations"]["rds:DescribeDBInstances"]["failures"] == 1
    assert [(c["operation"], c["status"]) for c in calls["recent"]] == [
        ("ListKeys", 200),
        ("DescribeDBInstances", 404),
    ]
    assert all(call["milliseconds"] > 0 for call in calls["recent"])


def test_an_operation_that_nobody_wrote_is_told_and_not_retried(emulator: RunningEmulator) -> None:
    emulator.api("DELETE", "calls")
    for service, method, arguments in (
        ("ec2", "get_spot_placement_scores", {"TargetCapacity": 1}),
        ("backup", "list_frameworks", {}),
        ("dlm", "get_lifecycle_policies", {}),
        ("ce", "get_anomaly_monitors", {}),
    ):
        client = emulator.client(service, attempts=4)
        with pytest.raises(client.exceptions.ClientError) as caught:
            getattr(client, method)(**arguments)
        assert caught.value.response["Error"]["Code"] == "EmulatorUnsupportedOperation"
    assert emulator.api("GET", "calls")["total"] == 4


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b"{",
        b'{"kind": "fire"}',
        b'{"kind": ["throttle"]}',
        b'{"service": "ec2"}',
        b'{"kind": "throttle", "x": 1}',
        b'{"kind": "throttle", "service": 5}',
        b'{"kind": "throttle", "operation": null}',
        b'{"kind": "throttle", "times": true}',
        b'{"kind": "throttle", "times": 1.5}',
        b'{"kind": "throttle", "probability": "1"}',
        b'{"kind": "throttle", "probability": NaN}',
        b'{"kind": "timeout", "delay_seconds": 1e400}',
        b'{"kind": "timeout", "delay_seconds": 3601}',
        b'{"kind": ' + b"[" * 100_000 + b"}",
        b"\xff\xfe",
    ],
    ids=lambda document: repr(document[:50]),
)
def test_a_wrong_fault_is_refused(emulator: RunningEmulator, document: bytes) -> None:
    request = urllib.request.Request(f"{emulator.url}/sandbox-api/faults", document, method="POST")
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request, timeout=10)
    assert caught.value.code == 400
    assert json.load(caught.value)["error"]
    assert emulator.api("GET", "faults") == []


@pytest.mark.parametrize("length", ["-1", "1e3", "one"])
def test_a_length_that_is_none_is_refused(emulator: RunningEmulator, length: str) -> None:
    connection = http.client.HTTPConnection(emulator.url.removeprefix("http://"), timeout=10)
    connection.putrequest("POST", "/sandbox-api/faults")
    connection.putheader("Content-Length", length)
    connection.endheaders(b"{}")
    response = connection.getresponse()
    assert response.status == 400
    assert length in response.read().decode()


def test_an_unknown_control_path_lists_the_known(emulator: RunningEmulator) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        emulator.api("GET", "nothing")
    assert caught.value.code == 404
    assert "GET /sandbox-api/health" in json.load(caught.value)["known"]
