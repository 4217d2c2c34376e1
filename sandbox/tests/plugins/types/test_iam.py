"""IAM types through their life."""

import json
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import unique
from sandbox.tests.plugins.types.played_engine import PlayedEngine

ROLE, PROFILE = "aws:iam/role:Role", "aws:iam/instanceProfile:InstanceProfile"
POLICY, ROLE_POLICY = "aws:iam/policy:Policy", "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"


def trust(service: str) -> str:
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": service}}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def allow(action: str) -> str:
    return json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    )


@pytest.fixture(scope="module")
def iam(emulator: RunningEmulator) -> Any:
    return emulator.client("iam")


def test_a_role_lives(engine: PlayedEngine, iam: Any) -> None:
    boundary = iam.create_policy(PolicyName=unique("boundary"), PolicyDocument=allow("s3:*"))["Policy"]["Arn"]
    program: dict[str, Any] = {
        "assumeRolePolicy": trust("ec2.amazonaws.com"),
        "description": "first",
        "maxSessionDuration": 7200,
        "permissionsBoundary": boundary,
        "tags": {"Name": "nodes"},
    }
    role = engine.resource(ROLE, "nodes").create(program)
    assert role.output("name").startswith("nodes-")
    role.assert_settled(program)

    changed = {"assumeRolePolicy": trust("lambda.amazonaws.com"), "description": "second"}
    assert role.diff(changed) == (
        {"assumeRolePolicy", "description", "maxSessionDuration", "permissionsBoundary", "tags"},
        set(),
    )
    role.update(changed).assert_settled(changed)
    found = iam.get_role(RoleName=role.id)["Role"]
    assert (found["Description"], found["MaxSessionDuration"]) == ("second", 3600)
    assert "PermissionsBoundary" not in found, "what is taken out of the program is taken off the role"
    assert role.diff({**changed, "path": "/service/"}) == ({"path"}, {"path"})

    iam.put_role_permissions_boundary(RoleName=role.id, PermissionsBoundary=boundary)
    assert role.refresh()
    assert role.diff(changed) == ({"permissionsBoundary"}, set()), "what somebody put there is seen"
    role.delete()
    assert not role.refresh()


def test_policies_of_a_role_live(engine: PlayedEngine, iam: Any) -> None:
    role = engine.resource(ROLE, "worker").create({"assumeRolePolicy": trust("ec2.amazonaws.com")})
    managed = engine.resource(POLICY, "read").create({"policy": allow("s3:GetObject"), "tags": {"a": "b"}})
    managed.assert_settled({"policy": allow("s3:GetObject"), "tags": {"a": "b"}})
    for number in range(6):
        managed.update({"policy": allow(f"s3:Get{number}")})
    versions = iam.list_policy_versions(PolicyArn=managed.id)["Versions"]
    assert len(versions) == 5, "AWS keeps five versions, the oldest makes room"
    assert managed.diff({"policy": allow("s3:Get5"), "description": "x"}) == ({"description"},) * 2

    attached = {"role": role.id, "policyArn": managed.id}
    attachment = engine.resource(ATTACHMENT, "read").create(attached)
    attachment.assert_settled(attached)
    inline = {"role": role.id, "name": "own", "policy": allow("sqs:SendMessage")}
    own = engine.resource(ROLE_POLICY, "own").create(inline)
    assert own.id == f"{role.id}:own"
    own.assert_settled(inline)
    own.update({**inline, "policy": allow("sqs:*")}).assert_settled({**inline, "policy": allow("sqs:*")})
    profiled = {"role": role.id, "tags": {"Name": "worker"}}
    profile = engine.resource(PROFILE, "worker").create(profiled)
    profile.assert_settled(profiled)
    assert profile.diff({"tags": {"Name": "worker"}}) == ({"role"}, set())

    for resource in (profile, own, attachment, managed, role):
        resource.delete()
        assert not resource.refresh(), resource.type
