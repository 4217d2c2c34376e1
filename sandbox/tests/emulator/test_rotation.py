"""Lambda functions and the rotation that they do: the handler really runs, against the emulator."""

import base64
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import unique

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": "sts:AssumeRole",
                "Principal": {"Service": "lambda.amazonaws.com"},
            }
        ],
    }
)
ROTATOR = """
import boto3, json

def handle(event, context):
    client = boto3.client("secretsmanager")
    secret, token = event["SecretId"], event["ClientRequestToken"]
    if event["Step"] == "createSecret":
        client.get_secret_value(SecretId=secret, VersionStage="AWSCURRENT")
        client.put_secret_value(
            SecretId=secret, ClientRequestToken=token, SecretString="rotated", VersionStages=["AWSPENDING"]
        )
    if event["Step"] == "finishSecret":
        stages = client.describe_secret(SecretId=secret)["VersionIdsToStages"]
        current = next(version for version, labels in stages.items() if "AWSCURRENT" in labels)
        client.update_secret_version_stage(
            SecretId=secret, VersionStage="AWSCURRENT", MoveToVersionId=token, RemoveFromVersionId=current
        )
"""

MakeFunction = Callable[..., str]


@pytest.fixture(scope="module")
def secrets(emulator: RunningEmulator) -> Any:
    return emulator.client("secretsmanager")


@pytest.fixture
def make_function(emulator: RunningEmulator) -> MakeFunction:
    def make(source: str, *, permitted: bool = True, **settings: Any) -> str:
        name = unique("function")
        role = emulator.client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=TRUST)["Role"][
            "Arn"
        ]
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            file.writestr("rotator/handler.py", source)
            file.writestr("rotator/__init__.py", "")
        functions = emulator.client("lambda")
        arn = functions.create_function(
            **{
                "FunctionName": name,
                "Runtime": "python3.13",
                "Role": role,
                "Handler": "rotator.handler.handle",
                "Code": {"ZipFile": archive.getvalue()},
                "Environment": {"Variables": {"GREETING": "hello"}},
                "Timeout": 20,
                **settings,
            }
        )["FunctionArn"]
        if permitted:
            functions.add_permission(
                FunctionName=name,
                StatementId="rotation",
                Action="lambda:InvokeFunction",
                Principal="secretsmanager.amazonaws.com",
            )
        return str(arn)

    return make


def invoke(emulator: RunningEmulator, arn: str, event: Any = None) -> dict[str, Any]:
    answer = emulator.client("lambda").invoke(
        FunctionName=arn.rsplit(":", 1)[1], Payload=json.dumps(event), LogType="Tail"
    )
    return {
        "payload": json.loads(answer["Payload"].read()),
        "error": answer.get("FunctionError"),
        "log": base64.b64decode(answer.get("LogResult", "")).decode(),
    }


def test_a_function_runs_with_its_event_and_environment(
    emulator: RunningEmulator, make_function: MakeFunction
) -> None:
    arn = make_function(
        "import os\ndef handle(event, context):\n"
        "    print('working')\n    return [os.environ['GREETING'], event, context.function_name]\n"
    )
    answer = invoke(emulator, arn, {"a": 1})
    assert answer["payload"] == ["hello", {"a": 1}, arn.rsplit(":", 1)[1]]
    assert answer["error"] is None
    assert "working" in answer["log"]


def test_a_function_calls_the_emulator_while_it_is_called(
    emulator: RunningEmulator, make_function: MakeFunction
) -> None:
    source = """
import boto3

def handle(event, context):
    return boto3.client("sts").get_caller_identity()["Account"]
"""
    assert invoke(emulator, make_function(source))["payload"] == "123456789012"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("def handle(event, context):\n    raise ValueError('no')", "ValueError"),
        ("import os\ndef handle(event, context):\n    os._exit(3)", "Runtime.ExitError"),
        ("import time\ndef handle(event, context):\n    time.sleep(30)", "Sandbox.Timedout"),
        ("def other(event, context): pass", "AttributeError"),
        ("import absent_module", "ModuleNotFoundError"),
    ],
)
def test_a_function_that_fails_says_how(
    emulator: RunningEmulator, make_function: MakeFunction, source: str, kind: str
) -> None:
    answer = invoke(emulator, make_function(source, Timeout=2))
    assert answer["error"] == "Unhandled"
    assert answer["payload"]["errorType"] == kind


@pytest.mark.parametrize(
    ("wait", "kind"),
    [("", None), ("time.sleep(30)", "Sandbox.Timedout"), ("os._exit(3)", "Runtime.ExitError")],
)
def test_what_a_function_leaves_running_ends_with_it(
    emulator: RunningEmulator, make_function: MakeFunction, tmp_path: Path, wait: str, kind: str | None
) -> None:
    noted = tmp_path / "child"
    source = f"""
import os, pathlib, subprocess, time

def handle(event, context):
    print("started", flush=True)
    child = subprocess.Popen(["sleep", "120"])
    pathlib.Path({str(noted)!r}).write_text(str(child.pid))
    {wait or "pass"}
    return "done"
"""
    answer = invoke(emulator, make_function(source, Timeout=5))
    assert answer["payload"] == "done" if kind is None else answer["payload"]["errorType"] == kind
    assert "started" in answer["log"]
    deadline = time.monotonic() + 10
    while _runs(int(noted.read_text())):
        assert time.monotonic() < deadline, "it outlived its function by 10 s"
        time.sleep(0.05)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split()[2] not in {"X", "Z"}
    except OSError:
        return False


def test_a_function_reads_back_how_it_logs(emulator: RunningEmulator, make_function: MakeFunction) -> None:
    functions = emulator.client("lambda")
    name = make_function("def handle(event, context): pass").rsplit(":", 1)[1]
    plain = functions.get_function_configuration(FunctionName=name)["LoggingConfig"]
    assert plain == {"LogFormat": "Text", "LogGroup": f"/aws/lambda/{name}"}
    functions.update_function_configuration(
        FunctionName=name, LoggingConfig={"LogFormat": "JSON", "LogGroup": "/own"}
    )
    changed = functions.get_function(FunctionName=name)["Configuration"]["LoggingConfig"]
    assert (changed["LogFormat"], changed["LogGroup"]) == ("JSON", "/own")
    functions.update_function_configuration(FunctionName=name, Description="other")
    assert functions.get_function_configuration(FunctionName=name)["LoggingConfig"] == changed


def test_another_runtime_is_refused(emulator: RunningEmulator, make_function: MakeFunction) -> None:
    arn = make_function("", Runtime="nodejs22.x")
    with pytest.raises(ClientError) as error:
        invoke(emulator, arn)
    assert error.value.response["Error"]["Code"] == "EmulatorUnsupportedOperation"


def wait_for(secrets: Any, name: str, value: str) -> None:
    deadline = time.monotonic() + 60
    while secrets.get_secret_value(SecretId=name)["SecretString"] != value:
        assert time.monotonic() < deadline, "the secret was not rotated in 60 s"
        time.sleep(0.1)


def test_rotation_runs_the_function_and_moves_the_labels(secrets: Any, make_function: MakeFunction) -> None:
    name = unique("secret")
    first = secrets.create_secret(Name=name, SecretString="initial")["VersionId"]
    rules = {"AutomaticallyAfterDays": 30, "Duration": "2h"}
    token = secrets.rotate_secret(
        SecretId=name, RotationLambdaARN=make_function(ROTATOR), RotationRules=rules
    )["VersionId"]
    wait_for(secrets, name, "rotated")
    described = secrets.describe_secret(SecretId=name)
    assert described["VersionIdsToStages"] == {first: ["AWSPREVIOUS"], token: ["AWSCURRENT"]}
    assert described["RotationRules"] == rules
    previous = secrets.get_secret_value(SecretId=name, VersionStage="AWSPREVIOUS")
    assert previous["SecretString"] == "initial"
    wait_for(secrets, name, "rotated")


def test_a_rotation_that_fails_leaves_the_current_value(
    emulator: RunningEmulator, secrets: Any, make_function: MakeFunction
) -> None:
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="initial")
    function = make_function("def handle(event, context):\n    print('tried')\n    raise RuntimeError('no')")
    logs, group = emulator.client("logs"), f"/aws/lambda/{function.rsplit(':', 1)[1]}"
    logs.create_log_group(logGroupName=group)
    secrets.rotate_secret(SecretId=name, RotationLambdaARN=function)
    deadline = time.monotonic() + 60
    while not logs.filter_log_events(logGroupName=group)["events"]:
        assert time.monotonic() < deadline, "the function was not tried in 60 s"
        time.sleep(0.1)
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "initial"


def test_rotation_is_only_configured_when_it_is_to_wait(secrets: Any, make_function: MakeFunction) -> None:
    name, function = unique("secret"), make_function(ROTATOR)
    secrets.create_secret(Name=name, SecretString="initial")
    rules = {"ScheduleExpression": "cron(0 4 1 * ? *)"}
    secrets.rotate_secret(
        SecretId=name, RotationLambdaARN=function, RotationRules=rules, RotateImmediately=False
    )
    described = secrets.describe_secret(SecretId=name)
    assert (described["RotationEnabled"], described["RotationLambdaARN"]) == (True, function)
    assert described["RotationRules"] == rules
    assert list(described["VersionIdsToStages"].values()) == [["AWSCURRENT"]]
    secrets.cancel_rotate_secret(SecretId=name)
    described = secrets.describe_secret(SecretId=name)
    assert "RotationRules" not in described
    assert described.get("RotationEnabled", False) is False


def test_rotation_refuses_what_it_cannot_call(secrets: Any, make_function: MakeFunction) -> None:
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="initial")
    absent = "arn:aws:lambda:us-east-1:123456789012:function:absent"
    for arguments, expected in (
        ({}, "InvalidRequestException"),
        ({"RotationLambdaARN": absent}, "ResourceNotFoundException"),
        ({"RotationLambdaARN": make_function(ROTATOR, permitted=False)}, "AccessDeniedException"),
    ):
        with pytest.raises(ClientError) as error:
            secrets.rotate_secret(SecretId=name, **arguments)
        assert error.value.response["Error"]["Code"] == expected
    assert "RotationEnabled" not in secrets.describe_secret(SecretId=name)


def test_resource_policies(secrets: Any) -> None:
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="x")
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    secrets.put_resource_policy(SecretId=name, ResourcePolicy=policy)
    assert secrets.get_resource_policy(SecretId=name)["ResourcePolicy"] == policy
    secrets.delete_resource_policy(SecretId=name)
    assert "ResourcePolicy" not in secrets.get_resource_policy(SecretId=name)


def test_a_replica_becomes_a_secret_of_its_own(secrets: Any, emulator: RunningEmulator) -> None:
    name = unique("secret")
    secrets.create_secret(Name=name, SecretString="x", AddReplicaRegions=[{"Region": "us-west-2"}])
    far = emulator.client("secretsmanager", "us-west-2")
    far.stop_replication_to_replica(SecretId=name)
    far.put_secret_value(SecretId=name, SecretString="own")
    assert far.get_secret_value(SecretId=name)["SecretString"] == "own"
    assert secrets.get_secret_value(SecretId=name)["SecretString"] == "x"
    assert "ReplicationStatus" not in secrets.describe_secret(SecretId=name)
    with pytest.raises(ClientError) as error:
        secrets.stop_replication_to_replica(SecretId=name)
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"
    with pytest.raises(ClientError) as error:
        secrets.stop_replication_to_replica(SecretId="absent")
    assert error.value.response["Error"]["Code"] == "ResourceNotFoundException"
