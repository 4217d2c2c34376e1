"""A small stack of the product's components through its whole life on the real engine."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from operations.catalogue.children import FINDERS, find_child
from operations.clients import Clients
from operations.state import Resource
from tests.sandbox.workbench import Workbench, steps_of

MUTATION = re.compile(r":(Create|Delete|Modify|Put|Update|Attach|Associate|Authorize|Revoke|Tag|Set)")


def test_up_does_what_the_preview_promised_and_a_second_up_does_nothing(shop: Workbench) -> None:
    tracked = {path: path.read_bytes() for path in shop.layout.checkout.glob("Pulumi*.yaml")}
    promised = shop.preview()

    first = shop.must_up()
    shop.api("DELETE", "calls")
    second = shop.must_up()

    assert {(step["op"], step["urn"].rsplit("::", 1)[-1]) for step in promised["steps"]} == set(
        steps_of(first)
    )
    assert first.progress.done.total() == len(promised["steps"]) > 40
    assert steps_of(second) == []
    assert second.progress.done["unchanged"] == first.progress.done["created"]
    assert [call for call in shop.api("GET", "calls")["operations"] if MUTATION.search(call)] == []
    assert shop.orphans() == []
    assert {path: path.read_bytes() for path in shop.layout.checkout.glob("Pulumi*.yaml")} == tracked
    assert sorted(path.name for path in shop.layout.checkout.iterdir()) == [
        ".sandbox", ".venv", "Pulumi.prod.yaml", "Pulumi.yaml", "infra",
    ]  # fmt: skip


def test_default_tags_reach_everything_and_a_changed_one_updates_everything_in_place(shop: Workbench) -> None:
    shop.settings(tags={"Owner": "shop@example.com"})
    shop.must_up()
    before = _tagged(shop)

    shop.settings(tags={"Owner": "platform@example.com"})
    changed = shop.must_up()

    after = _tagged(shop)
    expected = {"Project": "shop", "Environment": "prod", "Owner": "shop@example.com"}
    assert len(before) > 15
    assert {name: tags for name, tags in before.items() if not expected.items() <= tags.items()} == {}
    assert after.keys() == before.keys()  # nothing was replaced
    assert {tags["Owner"] for tags in after.values()} == {"platform@example.com"}
    assert {operation for operation, _ in steps_of(changed)} == {"update"}
    assert steps_of(shop.must_up()) == []


def _tagged(bench: Workbench) -> dict[tuple[str, str], dict[str, str]]:
    """Tags of everything that can carry them, rules of security groups included."""
    found = {
        (item["type"], item["id"]): item["tags"]
        for item in bench.inventory()
        if item["type"] not in {"alias", "resource-policy"}
    }
    rules = bench.client("ec2").describe_security_group_rules()["SecurityGroupRules"]
    [rule] = [each for each in rules if each.get("CidrIpv4") == "10.20.0.0/16"]
    tags = {tag["Key"]: tag["Value"] for tag in rule["Tags"]}
    return found | {("rule", rule["SecurityGroupRuleId"]): tags}


@pytest.mark.mission_M36
def test_a_password_is_encrypted_in_state_and_written_nowhere(shop: Workbench) -> None:
    shop.must_up()
    shop.must_up("--refresh")
    arn = shop.resource("database-secret")["id"]
    secret = json.loads(shop.client("secretsmanager").get_secret_value(SecretId=arn)["SecretString"])
    password = secret["password"]

    printed = shop.session.engine.capture("stack", "output", "--json", "--stack", "prod")
    exported = shop.session.engine.capture("stack", "export", "--stack", "prod")
    kept = [path for path in _files(shop.layout.root) if password.encode() in path.read_bytes()]

    assert len(password) == 40
    assert printed.returncode == exported.returncode == 0
    assert password not in printed.stdout + exported.stdout
    assert kept == []
    for name, of_type, output in (
        ("database-password", "RandomPassword", "result"),
        ("database-value", "SecretVersion", "secretString"),
    ):
        assert shop.resource(name, of_type)["outputs"][output]["ciphertext"]


def _files(folder: Path) -> list[Path]:
    return [
        path
        for path in folder.rglob("*")
        if path.is_file() and not path.is_symlink() and path.parent.name != "bin"
    ]


def test_refresh_shows_what_a_person_changed_and_up_repairs_it(shop: Workbench) -> None:
    shop.must_up()
    logs, ec2 = shop.client("logs"), shop.client("ec2")
    group, rule = shop.resource("requests"), shop.resource("web-https")
    logs.put_retention_policy(logGroupName=group["id"], retentionInDays=1)
    ec2.revoke_security_group_ingress(GroupId=shop.resource("web")["id"], SecurityGroupRuleIds=[rule["id"]])

    drift = shop.preview("--refresh")
    refreshed = shop.engine("refresh", "--skip-preview")
    repaired = shop.must_up()

    assert _changes(drift) == {"requests": "update", "web-https": "create"}
    assert refreshed.exit_code == 0
    assert set(steps_of(repaired)) == {("update", "requests"), ("create", "web-https")}
    [shown] = logs.describe_log_groups(logGroupNamePrefix=group["id"])["logGroups"]
    assert shown["retentionInDays"] == 30
    assert shop.resource("web-https")["id"] != rule["id"]
    assert not shop.must_up("--refresh").progress.changed()


def _changes(preview: dict[str, Any]) -> dict[str, str]:
    return {
        step["urn"].rsplit("::", 1)[-1]: step["op"]
        for step in preview["steps"]
        if step["op"] not in {"same", "refresh"}
    }


def test_protected_stack_is_taken_down_by_teardown_only_and_comes_up_again(shop: Workbench) -> None:
    shop.settings(protect=True)
    shop.must_up()
    standing = shop.inventory()

    refused = shop.session.engine.capture("destroy", "--yes", "--stack", "prod")

    assert refused.returncode != 0
    assert "protect" in refused.stdout + refused.stderr
    assert shop.inventory() == standing

    down = shop.operations("teardown", "--yes", "--json")

    assert down.returncode == 0, down.stdout + down.stderr
    outcome = json.loads(down.stdout)
    assert outcome["leftovers"] == {}
    left = shop.inventory()
    assert {(item["type"], item["state"]) for item in left} == {
        ("key", "pending-deletion"),
        ("secret", "pending-deletion"),
    }
    declared = json.dumps(outcome["retained"])
    assert [item["id"] for item in left if item["id"] not in declared] == []
    assert shop.state().custom() == []

    again = shop.must_up()

    assert again.progress.done["created"] > 40
    assert steps_of(shop.must_up()) == []


@pytest.mark.mission_M70
def test_recovery_knows_what_has_no_tags_by_the_id_that_the_provider_gave(
    small_shop: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    small_shop.must_up()
    for name, value in small_shop.session.engine.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    clients = Clients("us-east-1")

    children = [Resource(record) for record in small_shop.state().custom() if record["type"] in FINDERS]
    found = {each.urn: find_child(clients, each) for each in children}

    assert {each.resource_type.rpartition(":")[2] for each in children} >= {
        "Alias", "RolePolicy", "Route", "RouteTableAssociation", "SecretVersion",
    }  # fmt: skip
    assert {urn: child and child.id for urn, child in found.items()} == {
        each.urn: each.id for each in children
    }
