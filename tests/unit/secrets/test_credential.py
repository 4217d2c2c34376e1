"""A credential: one password, one encrypted secret, a first value that rotation never loses to Pulumi."""

from asyncio import Future, ensure_future
from dataclasses import replace

import pytest

from components.secrets.credential import Credential, CredentialArgs
from tests.unit.data import properties
from tests.unit.data.properties import key
from tests.unit.mock_engine import Deployment, deploy

pytestmark = pytest.mark.mission_M36

ARGS = CredentialArgs(engine="postgres", username="order_service", secrets_key_arn=key("secrets"))


def attach(args: CredentialArgs = ARGS, **extra: str) -> Deployment:
    def program() -> object:
        credential = Credential("order", args)
        return credential.attach(host="db.example", port=5432, resource_id="postgres-1", extra=extra)

    return deploy(program)


def test_the_value_says_everything_a_client_needs_and_is_secret() -> None:
    deployment = attach(dbname="orders")

    assert properties.secret_value(deployment, "order") == {
        "engine": "postgres",
        "host": "db.example",
        "port": 5432,
        "username": "order_service",
        "password": deployment.named("order-password").outputs["result"],
        "resource_id": "postgres-1",
        "dbname": "orders",
    }
    properties.assert_passwords_are_secret(deployment)
    properties.assert_tagged_with_its_name(deployment)


def test_the_password_has_no_character_that_an_engine_refuses() -> None:
    password = attach().named("order-password").inputs

    assert password["special"] is False
    assert password["length"] == 40
    assert all(password[minimum] == 1 for minimum in ("minLower", "minUpper", "minNumeric"))


def test_the_first_version_keeps_a_label_so_that_no_refresh_misses_it() -> None:
    assert attach().named("order-value").inputs["versionStages"] == ["AWSCURRENT", "INITIAL"]


def test_the_secret_is_encrypted_with_the_given_key_and_can_be_recovered() -> None:
    secret = attach().named("order-secret")

    assert secret.inputs["kmsKeyId"] == key("secrets")
    assert secret.inputs["recoveryWindowInDays"] == 30
    assert secret.protect
    assert not attach(replace(ARGS, protect=False)).named("order-secret").protect


def test_the_component_s_password_output_is_secret() -> None:
    asked: list[Future[bool]] = []

    def program() -> object:
        password = Credential("order", ARGS).password
        asked.append(ensure_future(password.is_secret()))
        return password

    deploy(program)

    assert asked[0].result() is True


@pytest.mark.parametrize("days", [0, 6, 31])
def test_a_recovery_window_that_aws_refuses_is_refused_at_once(days: int) -> None:
    with pytest.raises(ValueError, match=f"recovery_window_days is {days}; Secrets Manager takes 7 to 30"):
        replace(ARGS, recovery_window_days=days)
