"""Lambda types through their life."""

import io
import json
import zipfile
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import Asset

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import unique
from sandbox.tests.plugins.types.played_engine import PlayedEngine

FUNCTION, PERMISSION = "aws:lambda/function:Function", "aws:lambda/permission:Permission"
UNREAD = frozenset({"code"})


@pytest.fixture(scope="module")
def lambdas(emulator: RunningEmulator) -> Any:
    return emulator.client("lambda")


@pytest.fixture(scope="module")
def role(emulator: RunningEmulator) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    made = emulator.client("iam").create_role(RoleName=unique("rotation"), AssumeRolePolicyDocument=trust)
    return str(made["Role"]["Arn"])


@pytest.fixture
def bundle(tmp_path: Any) -> Any:
    """Return a function that makes an archive of one module."""

    def make(text: str) -> Asset:
        path = tmp_path / f"{abs(hash(text))}.zip"
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("main.py", text)
        path.write_bytes(buffer.getvalue())
        signature = "0def7320c3a5731c473e5ecbe6d01bc7"  # of archives, in the engine's protocol
        return Asset({"4dabf18193072939515e22adb298388d": signature, "path": str(path), "hash": text})

    return make


def test_a_function_and_its_permission_live(
    engine: PlayedEngine, lambdas: Any, role: str, bundle: Any
) -> None:
    program: dict[str, Any] = {
        "code": bundle("first = 1"),
        "role": role,
        "runtime": "python3.11",
        "handler": "main.handler",
        "timeout": 30,
        "environment": {"variables": {"STAGE": "prod"}},
        "tags": {"Name": "rotation"},
    }
    function = engine.resource(FUNCTION, "rotation").create(program)
    assert function.id.startswith("rotation-")
    function.assert_settled(program, unread=UNREAD)
    first = lambdas.get_function(FunctionName=function.id)["Configuration"]["CodeSha256"]

    changed = {**program, "code": bundle("second = 2"), "timeout": 60}
    del changed["environment"]
    assert function.diff(changed) == ({"code", "timeout", "environment"}, set())
    function.update(changed).assert_settled(changed, unread=UNREAD)
    found = lambdas.get_function(FunctionName=function.id)["Configuration"]
    assert found["CodeSha256"] != first
    assert found["Timeout"] == 60
    assert not found.get("Environment", {}).get("Variables")
    published = {**changed, "publish": True}
    function.update(published)
    versions = [
        item["Version"] for item in lambdas.list_versions_by_function(FunctionName=function.id)["Versions"]
    ]
    assert versions == ["$LATEST", "1"], "publishing needs no other change"
    assert function.diff({**published, "packageType": "Image"})[1] == {"packageType"}

    allowed = {
        "function": function.id,
        "action": "lambda:InvokeFunction",
        "principal": "secretsmanager.amazonaws.com",
        "sourceAccount": "123456789012",
        "statementId": "rotate",
    }
    permission = engine.resource(PERMISSION, "rotation").create(allowed)
    assert permission.id == "rotate"
    assert permission.diff(allowed) == (set(), set())
    assert permission.refresh()
    assert permission.diff(allowed) == (set(), set())
    imported = permission.imported(f"{function.id}/rotate")
    assert imported.id == "rotate", "an import id names the function, the resource's id does not"
    assert imported.diff(allowed) == (set(), set())
    bare = {name: value for name, value in allowed.items() if name != "sourceAccount"}
    assert permission.diff(bare) == ({"sourceAccount"}, {"sourceAccount"})
    permission.delete()
    assert not permission.refresh()
    function.delete()
    assert not function.refresh()
