"""Secrets Manager types through their life."""

import json
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins.wire import Secret

from sandbox.tests.emulator.conftest import ACCOUNT, RunningEmulator
from sandbox.tests.plugins.types.played_engine import PlayedEngine

SECRET, VERSION = "aws:secretsmanager/secret:Secret", "aws:secretsmanager/secretVersion:SecretVersion"
POLICY = "aws:secretsmanager/secretPolicy:SecretPolicy"
ROTATION = "aws:secretsmanager/secretRotation:SecretRotation"


@pytest.fixture(scope="module")
def manager(emulator: RunningEmulator) -> Any:
    return emulator.client("secretsmanager")


def reading(action: str) -> str:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": action,
        "Resource": "*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def test_a_secret_its_version_and_its_policy_live(engine: PlayedEngine, manager: Any, key: str) -> None:
    program: dict[str, Any] = {
        "description": "database password",
        "kmsKeyId": key,
        "recoveryWindowInDays": 7,
        "tags": {"Name": "orders"},
    }
    secret = engine.resource(SECRET, "orders").create(program)
    assert secret.id.startswith("arn:aws:secretsmanager:")
    secret.assert_settled(program, unread=frozenset({"recoveryWindowInDays"}))
    changed = {**program, "description": "password of the orders"}
    assert secret.diff(changed) == ({"description"}, set())
    secret.update(changed).assert_settled(changed, unread=frozenset({"recoveryWindowInDays"}))
    assert secret.diff({**changed, "name": "another"})[1] == {"name"}

    value = {"secretId": secret.id, "secretString": Secret("horse")}
    version = engine.resource(VERSION, "orders").create(value)
    assert version.id == f"{secret.id}|{version.output('versionId')}"
    version.assert_settled(value)
    assert version.diff({**value, "secretString": Secret("staple")}) == ({"secretString"}, {"secretString"})
    newer = engine.resource(VERSION, "newer").create({**value, "secretString": Secret("staple")})
    assert manager.get_secret_value(SecretId=secret.id)["SecretString"] == "staple"

    allowed = {"secretArn": secret.id, "policy": reading("secretsmanager:GetSecretValue")}
    policy = engine.resource(POLICY, "orders").create(allowed)
    policy.assert_settled(allowed)
    more = {**allowed, "policy": reading("secretsmanager:DescribeSecret")}
    assert policy.diff(more) == ({"policy"}, set())
    policy.update(more).assert_settled(more)

    policy.delete()
    assert not policy.refresh()
    version.delete()
    newer.delete()
    assert manager.get_secret_value(SecretId=secret.id)["SecretString"] == "staple", "the current value stays"
    secret.delete()
    assert not secret.refresh(), "a secret that is to be deleted is gone"
    assert manager.restore_secret(SecretId=secret.id)["ARN"] == secret.id
    manager.delete_secret(SecretId=secret.id, ForceDeleteWithoutRecovery=True)


def test_a_rotation_that_somebody_stopped_can_be_deleted(engine: PlayedEngine, manager: Any) -> None:
    secret = engine.resource(SECRET, "stopped").create({"recoveryWindowInDays": 0})
    engine.resource(VERSION, "stopped").create({"secretId": secret.id, "secretString": Secret("horse")})
    rotation = engine.resource(ROTATION, "stopped")
    rotation.id, rotation.inputs, rotation.state = secret.id, {"secretId": secret.id}, {"secretId": secret.id}
    with pytest.raises(manager.exceptions.InvalidRequestException):
        manager.cancel_rotate_secret(SecretId=secret.id)
    rotation.delete()
    manager.delete_secret(SecretId=secret.id)
    rotation.delete()
