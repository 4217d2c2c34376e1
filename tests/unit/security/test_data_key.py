"""Keys: rotated, protected, and open to services only for what they do for this account."""

import json
from typing import Any

import pytest

from components.security.data_key import DataKey, DataKeyArgs
from components.security.key_policy import KeyUse, key_policy
from tests.unit.computed_outputs import ACCOUNT_ID, REGION
from tests.unit.mock_engine import deploy


def statements(*uses: KeyUse) -> list[dict[str, Any]]:
    parsed: list[dict[str, Any]] = json.loads(key_policy(ACCOUNT_ID, REGION, uses))["Statement"]
    return parsed


def test_iam_decides_about_everybody_else() -> None:
    assert [s["Principal"] for s in statements()] == [{"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}]


@pytest.mark.parametrize("use", KeyUse)
def test_services_are_bound_to_this_account(use: KeyUse) -> None:
    (statement,) = statements(use)[1:]

    assert ACCOUNT_ID in json.dumps(statement["Condition"])
    assert "kms:*" not in statement["Action"]


def test_log_groups_are_told_by_their_encryption_context() -> None:
    (statement,) = statements(KeyUse.LOG_GROUPS)[1:]

    context = statement["Condition"]["ArnLike"]["kms:EncryptionContext:aws:logs:arn"]
    assert context == f"arn:aws:logs:{REGION}:{ACCOUNT_ID}:log-group:*"
    assert statement["Principal"] == {"Service": f"logs.{REGION}.amazonaws.com"}


def test_policy_does_not_depend_on_the_order_of_uses() -> None:
    assert key_policy("1", REGION, [*KeyUse]) == key_policy("1", REGION, [*reversed(KeyUse)])


@pytest.mark.parametrize("protect", [True, False])
def test_key_rotates_and_waits_thirty_days_before_it_goes(protect: bool) -> None:
    args = DataKeyArgs(description="Orders", account_id=ACCOUNT_ID, region=REGION, protect=protect)
    deployment = deploy(lambda: DataKey("commerce", args).key_arn)
    key = deployment.one("Key")

    assert key.inputs["enableKeyRotation"] is True
    assert key.inputs["deletionWindowInDays"] == 30
    assert key.protect is protect
    assert deployment.one("Alias").inputs["targetKeyId"] == key.outputs["keyId"]
    assert deployment.result == key.outputs["arn"]
