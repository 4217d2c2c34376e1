"""ECR types through their life."""

import json
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import ACCOUNT, RunningEmulator
from sandbox.tests.emulator.network import unique
from sandbox.tests.plugins.types.played_engine import PlayedEngine

REPOSITORY, LIFECYCLE = "aws:ecr/repository:Repository", "aws:ecr/lifecyclePolicy:LifecyclePolicy"
POLICY = "aws:ecr/repositoryPolicy:RepositoryPolicy"
SCANNING = "aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration"


def lifecycle(count: int) -> str:
    selection = {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": count}
    rule = {"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}
    return json.dumps({"rules": [rule]})


def pulling(action: str) -> str:
    statement = {
        "Sid": "pull",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
        "Action": action,
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.fixture(scope="module")
def ecr(emulator: RunningEmulator) -> Any:
    return emulator.client("ecr")


def test_a_repository_lives(engine: PlayedEngine, ecr: Any, key: str) -> None:
    program: dict[str, Any] = {
        "name": unique("shop/orders"),
        "imageTagMutability": "IMMUTABLE",
        "imageScanningConfiguration": {"scanOnPush": True},
        "encryptionConfigurations": [{"encryptionType": "KMS", "kmsKey": key}],
        "tags": {"Name": "orders"},
    }
    repository = engine.resource(REPOSITORY, "orders").create(program)
    assert repository.id == program["name"]
    repository.assert_settled(program)
    changed = {
        **program,
        "imageTagMutability": "MUTABLE",
        "imageScanningConfiguration": {"scanOnPush": False},
    }
    assert repository.diff(changed) == ({"imageTagMutability", "imageScanningConfiguration"}, set())
    repository.update(changed).assert_settled(changed)
    found = ecr.describe_repositories(repositoryNames=[repository.id])["repositories"][0]
    assert found["imageScanningConfiguration"] == {"scanOnPush": False}
    unencrypted = {name: value for name, value in changed.items() if name != "encryptionConfigurations"}
    assert repository.diff(unencrypted) == (set(), set()), "encryption stays when it is no longer given"
    other = {**changed, "encryptionConfigurations": [{"encryptionType": "AES256"}]}
    assert repository.diff(other)[1] == {"encryptionConfigurations"}
    repository.delete()
    assert not repository.refresh()


def test_policies_of_a_repository_live(engine: PlayedEngine) -> None:
    repository = engine.resource(REPOSITORY, "catalog").create({"name": unique("catalog")})
    given = {"repository": repository.id, "policy": lifecycle(5)}
    cleaning = engine.resource(LIFECYCLE, "catalog").create(given)
    cleaning.assert_settled(given)
    assert cleaning.diff({**given, "policy": lifecycle(6)}) == ({"policy"}, {"policy"})

    allowed = {"repository": repository.id, "policy": pulling("ecr:BatchGetImage")}
    policy = engine.resource(POLICY, "catalog").create(allowed)
    policy.assert_settled(allowed)
    more = {**allowed, "policy": pulling("ecr:GetDownloadUrlForLayer")}
    assert policy.diff(more) == ({"policy"}, set())
    policy.update(more).assert_settled(more)
    for resource in (policy, cleaning, repository):
        resource.delete()
        assert not resource.refresh(), resource.type


def test_the_registry_scans_and_goes_back_to_the_basic_scan(engine: PlayedEngine, ecr: Any) -> None:
    every = {
        "scanFrequency": "SCAN_ON_PUSH",
        "repositoryFilters": [{"filter": "*", "filterType": "WILDCARD"}],
    }
    program: dict[str, Any] = {"scanType": "ENHANCED", "rules": [every]}
    scanning = engine.resource(SCANNING, "registry").create(program)
    assert scanning.id == ACCOUNT
    scanning.assert_settled(program)
    basic = {"scanType": "BASIC", "rules": [every]}
    assert scanning.diff(basic) == ({"scanType"}, set())
    scanning.update(basic).assert_settled(basic)
    scanning.delete()
    left = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    assert left == {"scanType": "BASIC", "rules": []}
