"""The declarations against Terraform's provider, which pulumi-aws bridges: `terraform.json` holds its facts.

Property names are Pulumi's. `forceNew`: a change replaces; `forceNewIf`: sometimes; `kept`: stays as AWS has
it when the program stops giving it (optional and computed, or the difference is suppressed); `defaults`: what
the provider puts in; `deleteBeforeReplace`: of Pulumi's overlay; `deviates`: where the sandbox differs, why.
"""

import json
from pathlib import Path
from typing import Any

import pytest
from cloudcommerce_sandbox.plugins import sdk
from cloudcommerce_sandbox.plugins.aws import diff, registry
from cloudcommerce_sandbox.plugins.aws.declaration import UNSET, Field
from cloudcommerce_sandbox.plugins.provider import Change, Request
from cloudcommerce_sandbox.plugins.wire import Asset

TABLE: dict[str, dict[str, Any]] = json.loads((Path(__file__).parent / "terraform.json").read_text())["types"]
STORES = ("docdb", "elasticache", "mq", "rds")  # their tests state what replaces them
MACHINERY = {"region", "tags", "tagsAll"}
SAMPLES: dict[str, Any] = {
    "string": "sample",
    "integer": 7,
    "number": 7.5,
    "asset": Asset({"hash": "a-hash"}),
    "list": ["sample"],
    "map": {"sample": "value"},
}

every_type = pytest.mark.parametrize("token", TABLE)
every_full_type = pytest.mark.parametrize("token", [token for token in TABLE if "kept" in TABLE[token]])


def _supported(token: str) -> set[str]:
    """Return the inputs that the sandbox implements and that are the type's own."""
    return set(sdk.schema(token).inputs) - set(registry.find(token).unsupported) - MACHINERY


def _optional(token: str) -> set[str]:
    return {name for name in _supported(token) if not sdk.schema(token).inputs[name].required}


def _sample(kind: sdk.Kind, default: Any) -> Any:
    """Return a value of the type that is not the default."""
    if kind.name == "boolean":
        return default is not True
    if kind.name == "object":
        name, property_ = next(iter(kind.fields.items()))
        return {name: _sample(property_.kind, None)}
    if kind.name == "list" and kind.item is not None and kind.item.name == "object":
        return [_sample(kind.item, None)]
    return SAMPLES[kind.name]


def _changes(token: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Change]:
    urn = f"urn:pulumi:test::shop::{token}::thing"
    request = Request(urn=urn, id="an-id", inputs=new, old_inputs=old, state=old)
    return diff.compare(registry.find(token), request).changes


def _removed(token: str, name: str) -> dict[str, Change]:
    default = TABLE[token]["defaults"].get(name)
    return _changes(token, {name: _sample(sdk.schema(token).inputs[name].kind, default)}, {})


def test_every_type_is_in_the_table() -> None:
    declared = {kind.pulumi_type for kind in registry.every()}
    assert {token for token in declared if token.split(":")[1].partition("/")[0] not in STORES} <= set(TABLE)
    assert set(TABLE) <= declared


@every_type
def test_the_table_names_properties_that_exist_and_its_source(token: str) -> None:
    facts, inputs = TABLE[token], set(sdk.schema(token).inputs)
    named = [
        *facts["forceNew"],
        *facts.get("forceNewIf", ()),
        *facts.get("kept", ()),
        *facts.get("defaults", ()),
    ]
    # What the provider still has and the SDK no more.
    assert {name.partition(".")[0] for name in named} - inputs <= {"securityGroupNames"}
    assert facts["forceNew"] == sorted(facts["forceNew"])
    path, _, commit = facts["source"].partition("@")
    assert path.startswith("internal/service/")
    assert len(commit) == 12


@every_type
def test_what_replaces(token: str) -> None:
    facts, kind = TABLE[token], registry.find(token)
    expected = {name for name in facts["forceNew"] if name.partition(".")[0] in _supported(token)}
    nested = {path for path in expected if "." in path}
    deviating = set(facts.get("deviates", ())) & _supported(token) - expected
    found = {name for name in _supported(token) if diff.replaces(kind, name)}
    found |= {path for path in nested if diff.replaces(kind, path)}
    assert found == expected | {name for name in deviating if diff.replaces(kind, name)}
    assert set(kind.force_new_if) == set(facts.get("forceNewIf", ())) & _supported(token)


@every_full_type
def test_what_is_kept_when_the_program_stops_giving_it(token: str) -> None:
    facts, kind = TABLE[token], registry.find(token)
    kept = {name for name in _optional(token) if not _removed(token, name)}
    # The auto-name takes the place of a name, in the check.
    named = {kind.name.property, kind.name.prefix} if kind.name is not None else set()
    expected = (set(facts["kept"]) | set(facts.get("deviates", ()))) & _optional(token)
    assert kept - named - set(facts.get("deviates", ())) == expected - named - set(facts.get("deviates", ()))


@every_full_type
def test_defaults(token: str) -> None:
    kind, facts = registry.find(token), TABLE[token]["defaults"]
    declared = {
        name: kind.fields.get(name, Field()).default
        for name in _supported(token)
        if kind.fields.get(name, Field()).default is not UNSET
    }
    # Where the provider has none, only "nothing" may stand.
    assert {n: v for n, v in declared.items() if v not in (None, "", False) or n in facts} == {
        name: value for name, value in facts.items() if name in _supported(token)
    }


@every_full_type
def test_the_order_of_a_replacement(token: str) -> None:
    facts = TABLE[token]
    expected = facts.get("deleteBeforeReplace", False) or "deleteBeforeReplace" in facts.get("deviates", ())
    assert registry.find(token).delete_before_replace == expected


@pytest.mark.parametrize(
    ("token", "old", "new", "replaced"),
    [
        ("aws:ec2/vpc:Vpc", {"instanceTenancy": "dedicated"}, {}, False),
        ("aws:ec2/vpc:Vpc", {"instanceTenancy": "dedicated"}, {"instanceTenancy": "default"}, False),
        ("aws:ec2/vpc:Vpc", {}, {"instanceTenancy": "dedicated"}, True),
        (
            "aws:ec2/subnet:Subnet",
            {"ipv6CidrBlock": "2600::/64", "assignIpv6AddressOnCreation": True},
            {"ipv6CidrBlock": "2601::/64", "assignIpv6AddressOnCreation": True},
            True,
        ),
        ("aws:ec2/subnet:Subnet", {"ipv6CidrBlock": "2600::/64"}, {"ipv6CidrBlock": "2601::/64"}, False),
        (
            "aws:ec2/vpcEndpoint:VpcEndpoint",
            {"vpcEndpointType": "Interface", "privateDnsEnabled": True},
            {"vpcEndpointType": "Interface", "privateDnsEnabled": False},
            False,
        ),
        ("aws:ec2/vpcEndpoint:VpcEndpoint", {"privateDnsEnabled": True}, {"privateDnsEnabled": False}, True),
        (
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"cidrIpv4": "10.0.0.0/16"},
            {"cidrIpv4": "10.1.0.0/16"},
            False,
        ),
        (
            "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
            {"cidrIpv4": "10.0.0.0/16"},
            {"referencedSecurityGroupId": "sg-1"},
            True,
        ),
    ],
)
def test_what_replaces_sometimes(
    token: str, old: dict[str, Any], new: dict[str, Any], replaced: bool
) -> None:
    changes = _changes(token, old, new)
    assert changes
    assert any(change.replace for change in changes.values()) == replaced
