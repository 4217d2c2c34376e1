import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, ReadTimeoutError

from sandbox.tests.emulator.conftest import RunningEmulator

# One operation of every wire protocol, with the codes that AWS answers there.
PROTOCOLS: list[tuple[str, str, tuple[str, str, str] | None]] = [
    ("ec2", "describe_vpcs", ("RequestLimitExceeded", "InternalError", "UnauthorizedOperation")),
    ("rds", "describe_db_instances", ("Throttling", "InternalFailure", "AccessDenied")),
    ("docdb", "describe_db_clusters", ("Throttling", "InternalFailure", "AccessDenied")),
    ("iam", "list_roles", ("Throttling", "InternalFailure", "AccessDenied")),
    ("kms", "list_keys", ("ThrottlingException", "KMSInternalException", "AccessDeniedException")),
    ("logs", "describe_log_groups", ("ThrottlingException", "InternalFailure", "AccessDeniedException")),
    ("lambda", "list_functions", ("TooManyRequestsException", "ServiceException", "AccessDeniedException")),
    (
        "mq",
        "list_brokers",
        ("TooManyRequestsException", "InternalServerErrorException", "ForbiddenException"),
    ),
    ("s3", "list_buckets", ("SlowDown", "InternalError", "AccessDenied")),
    ("route53", "list_hosted_zones", ("Throttling", "ServiceUnavailable", "AccessDenied")),
    ("cloudwatch", "describe_alarms", None),
]


@pytest.mark.parametrize(("service", "method", "codes"), PROTOCOLS)
def test_errors_in_the_words_of_the_service(
    emulator: RunningEmulator, service: str, method: str, codes: tuple[str, str, str] | None
) -> None:
    client = emulator.client(service)
    for number, kind in enumerate(("throttle", "internal", "access-denied")):
        emulator.api("POST", "faults", {"kind": kind, "times": 1})
        with pytest.raises(ClientError) as error:
            getattr(client, method)()
        answer = error.value.response
        if codes:
            assert answer["Error"]["Code"] == codes[number]
        assert answer["Error"]["Message"]
        assert answer["ResponseMetadata"]["HTTPStatusCode"] >= 400
        getattr(client, method)()


@pytest.mark.parametrize("service", ["ec2", "rds", "kms", "lambda", "s3"])
@pytest.mark.parametrize("kind", ["throttle", "internal", "drop-connection"])
def test_clients_take_a_fault_for_worth_a_retry(emulator: RunningEmulator, service: str, kind: str) -> None:
    method = {
        "ec2": "describe_vpcs",
        "rds": "describe_db_instances",
        "kms": "list_keys",
        "lambda": "list_functions",
        "s3": "list_buckets",
    }[service]
    emulator.api("POST", "faults", {"kind": kind, "service": service, "times": 1})
    getattr(emulator.client(service, attempts=3), method)()
    assert emulator.api("GET", "faults")[0]["struck"] == 1


def test_a_dropped_connection_did_nothing(emulator: RunningEmulator) -> None:
    ec2 = emulator.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    emulator.api("POST", "faults", {"kind": "drop-connection", "operation": "CreateVpc", "times": 1})
    with pytest.raises(ConnectionClosedError):
        ec2.create_vpc(CidrBlock="10.1.0.0/16")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before


def test_a_lost_response_was_executed(emulator: RunningEmulator) -> None:
    ec2 = emulator.client("ec2")
    before = len(ec2.describe_vpcs()["Vpcs"])
    emulator.api("POST", "faults", {"kind": "lost-response", "operation": "CreateVpc", "times": 1})
    with pytest.raises(ConnectionClosedError):
        ec2.create_vpc(CidrBlock="10.2.0.0/16")
    assert len(ec2.describe_vpcs()["Vpcs"]) == before + 1


def test_a_timeout_holds_the_call_and_nobody_else(emulator: RunningEmulator) -> None:
    emulator.api("POST", "faults", {"kind": "timeout", "service": "kms", "delay_seconds": 3, "times": 1})
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(emulator.client("kms", timeout=1).list_keys)
        time.sleep(0.2)
        started = time.monotonic()
        emulator.client("ec2").describe_vpcs()
        assert time.monotonic() - started < 1
        with pytest.raises(ReadTimeoutError):
            slow.result()


def test_a_fault_strikes_its_operation_as_often_as_told(emulator: RunningEmulator) -> None:
    emulator.api(
        "POST", "faults", {"kind": "throttle", "service": "ec2", "operation": "Describe*", "times": 2}
    )
    ec2 = emulator.client("ec2")
    emulator.client("kms").list_keys()
    for _ in range(2):
        with pytest.raises(ClientError):
            ec2.describe_vpcs()
    ec2.describe_vpcs()
    emulator.api("DELETE", "faults")
    assert emulator.api("GET", "faults") == []


def test_probability(emulator: RunningEmulator) -> None:
    emulator.api("POST", "faults", {"kind": "throttle", "service": "kms", "probability": 0.5})
    kms, struck = emulator.client("kms"), 0
    for _ in range(60):
        try:
            kms.list_keys()
        except ClientError:
            struck += 1
    assert 10 < struck < 50
