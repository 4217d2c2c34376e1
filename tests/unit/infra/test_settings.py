"""Wrong settings fail before anything is planned and say which key, what it got and what it takes."""

import copy
import json
import re
from collections.abc import Callable
from typing import Any

import jsonschema
import pytest

from infra.cluster_settings import QuotasSettings
from infra.environment import MODELS, SCHEMA_FILES, read_stack_settings
from infra.settings import LOG_RETENTION_DAYS, Settings
from infra.settings_document import SettingsError, read_settings, render_schema
from infra.staging_settings import StagingSettings
from tests.unit.stacks.program import deploy_production, stack_file

pytestmark = pytest.mark.mission_M71

REMOVE = object()


def raw(config: dict[str, Any]) -> dict[str, str]:
    """Configuration as the engine hands it over."""
    return {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}


def changed(path: str, value: object) -> dict[str, Any]:
    """The production stack file with one value replaced, added or removed."""
    config = copy.deepcopy(stack_file())
    head, *rest = path.split(".")
    owner: Any = config
    steps: list[Any] = [f"cloudcommerce:{head}", *(int(s) if s.isdigit() else s for s in rest)]
    for step in steps[:-1]:
        owner = owner[step]
    if value is REMOVE:
        del owner[steps[-1]]
    else:
        owner[steps[-1]] = value
    return config


def test_production_stack_file_is_valid() -> None:
    settings = read_settings(Settings, raw(stack_file()))

    assert settings.network.zones == ("us-east-1a", "us-east-1b", "us-east-1c")
    assert settings.protection.deletion_protection


@pytest.mark.parametrize("stack", ["prod", "staging"])
def test_stack_file_shows_what_each_application_may_take(stack: str) -> None:
    config = stack_file(stack)

    assert set(config["cloudcommerce:cluster"]["quotas"]) == set(QuotasSettings.model_fields)


def test_keys_of_other_namespaces_are_left_alone() -> None:
    config = raw(stack_file()) | {"aws:profile": "production", "pulumi:tags": '{"a": "b"}'}

    assert read_settings(Settings, config) == read_settings(Settings, raw(stack_file()))


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        # Unknown and missing keys
        (
            "netwrok",
            {},
            "cloudcommerce:netwrok: unknown key, did you mean network; it takes environment, aws, tags",
        ),
        ("qqq", "x", "cloudcommerce:qqq: unknown key; it takes environment, aws"),
        (
            "network.natperzone",
            True,
            "cloudcommerce:network.natperzone: unknown key, did you mean natPerZone",
        ),
        (
            "network.nat_per_zone",
            True,
            "cloudcommerce:network.nat_per_zone: unknown key, did you mean natPerZone",
        ),
        ("data.postgres.size", 1, "cloudcommerce:data.postgres.size: unknown key; it takes instanceClass"),
        ("network", REMOVE, "cloudcommerce:network: missing. It takes: The VPC"),
        ("aws.region", REMOVE, "cloudcommerce:aws.region: missing. It takes: AWS region, such as us-east-1"),
        ("tags.owner", REMOVE, "cloudcommerce:tags.owner: missing. It takes: Team or address"),
        # Types
        ("network", "10.0.0.0/16", "cloudcommerce:network: got '10.0.0.0/16'; it has to be a section"),
        ("network", [], "cloudcommerce:network: got []; it has to be a section with keys"),
        (
            "network.natPerZone",
            "yes",
            "cloudcommerce:network.natPerZone: got 'yes'; it has to be true or false",
        ),
        (
            "network.zones",
            "us-east-1a",
            "cloudcommerce:network.zones: got 'us-east-1a'; it has to be a list",
        ),
        ("network.zones.1", 2, "cloudcommerce:network.zones[1]: got 2; it has to be text"),
        (
            "aws.accountId",
            123456789012,
            "cloudcommerce:aws.accountId: got 123456789012; it has to be text: put it in quotes",
        ),
        (
            "data.backupRetentionDays",
            "30",
            "data.backupRetentionDays: got '30'; it has to be a whole number",
        ),
        (
            "data.postgres.engineVersion",
            17,
            "cloudcommerce:data.postgres.engineVersion: got 17; .*'17' or '18': put it in quotes",
        ),
        # Values
        ("aws.region", "virginia", "cloudcommerce:aws.region: got 'virginia'; .*such as us-east-1"),
        ("aws.accountId", "12345", "cloudcommerce:aws.accountId: got '12345'; .*12 digits"),
        ("tags.dataClass", "secret", "cloudcommerce:tags.dataClass: got 'secret'; .*'confidential'"),
        ("tags.owner", "a;b", "cloudcommerce:tags: tag Owner='a;b': AWS takes letters"),
        ("tags.costCenter", "", "cloudcommerce:tags: tag CostCenter has 0 characters"),
        ("tags.extra", {"Owner": "x"}, "cloudcommerce:tags: extra tag 'Owner' redefines a mandatory tag"),
        ("network.cidr", "10.0.0.0", "cloudcommerce:network.cidr: 10.0.0.0/32 is a /32: AWS takes"),
        ("network.cidr", "ten", "cloudcommerce:network.cidr: 'ten' is not an IPv4 network"),
        ("network.cidr", "8.8.0.0/16", "cloudcommerce:network.cidr: 8.8.0.0/16 is not private address space"),
        ("network.subnetPrefixes", {"data": 19}, "cloudcommerce:network: data subnets of /19 do not work"),
        ("network.zones", ["us-east-1a"], "cloudcommerce:network.zones: got .*; 3 or more are needed, not 1"),
        ("network.zones.1", "us-east-1a", "cloudcommerce:network.zones: us-east-1a listed more than once"),
        (
            "network.zones.1",
            "eu-west-1b",
            "cloudcommerce: network.zones has eu-west-1b, but aws.region is us-ea",
        ),
        ("network.interfaceEndpoints.0", "ecr.apo", "interfaceEndpoints[0]: got 'ecr.apo'; .*'ecr.api'"),
        ("data.backupRetentionDays", 7, "data.backupRetentionDays: got 7; it has to be 30 or more"),
        ("data.backupRetentionDays", 60, "data.backupRetentionDays: got 60; it has to be 35 or less"),
        (
            "data.postgres.instanceClass",
            "t3.huge",
            "data.postgres.instanceClass: unknown instance class 't3.huge'",
        ),
        (
            "data.postgres.instanceClass",
            "cache.m7g.large",
            "instanceClass: unknown instance class 'cache.m7g.large",
        ),
        ("data.postgres.maxAllocatedStorageGib", 105, "maxAllocatedStorageGib is 105: .*take 110 or more"),
        (
            "data.postgres.allocatedStorageGib",
            5,
            "allocatedStorageGib: got 5; .*First size of the volume in GiB",
        ),
        ("data.documentDb.engineVersion", "3.6.0", "data.documentDb.engineVersion: got '3.6.0'; .*'5.0.0'"),
        (
            "data.valkey.nodeType",
            "db.m7g.large",
            "data.valkey.nodeType: unknown instance class 'db.m7g.large'",
        ),
        ("messaging.rabbitMq.engineVersion", "3.13", "rabbitMq.engineVersion: got '3.13'; .*'4.2'"),
        ("registry.images", [], "cloudcommerce:registry.images: got []; 1 or more are needed"),
        ("registry.images.0", "Order", "cloudcommerce:registry.images[0]: got 'Order'; .*lower case"),
        (
            "registry.keepReleases",
            0,
            "cloudcommerce:registry.keepReleases: got 0; it has to be 1 or more",
        ),
        (
            "observability.logRetentionDays",
            366,
            "logRetentionDays: CloudWatch Logs does not offer 366 days: take 400",
        ),
        # The cluster
        ("cluster", REMOVE, "cloudcommerce:cluster: missing. It takes: The EKS cluster"),
        ("cluster.version", "1.29", "cloudcommerce:cluster.version: got '1.29'; .*'1.35'"),
        (
            "cluster.version",
            1.35,
            "cloudcommerce:cluster.version: got 1.35; it has to be '1.35': put it in quotes",
        ),
        (
            "cluster.publicAccessCidrs",
            ["0.0.0.0/0"],
            "cluster.publicAccessCidrs[0]: 0.0.0.0/0 opens the cluster's API to the Internet: list the",
        ),
        (
            "cluster.publicAccessCidrs",
            ["10.0.0.0/0"],
            "publicAccessCidrs[0]: '10.0.0.0/0' is not an IPv4 net",
        ),
        ("cluster.publicAccessCidrs", ["office"], "'office' is not an IPv4 network: .*203.0.113.0/24"),
        ("cluster.publicAccessCidrs", ["1.2.3.4/32", "1.2.3.4/32"], "1.2.3.4/32 listed more than once"),
        (
            "cluster.nodeGroups.main.minSize",
            1,
            "main.minSize: got 1; .*Fewest nodes: 2 or more, in two zones",
        ),
        ("cluster.nodeGroups.main.maxSize", 1, "main: maxSize is 1, below minSize (2): raise it"),
        ("cluster.nodeGroups.main.instanceTypes", [], "main.instanceTypes: got []; 1 or more are needed"),
        (
            "cluster.nodeGroups.main.instanceTypes",
            ["t3.tiny"],
            "main.instanceTypes: unknown instance type 't3.tiny': take one of .*t3.medium",
        ),
        (
            "cluster.nodeGroups.spot.instanceTypes",
            ["m5.large"],
            "spot.instanceTypes: got ['m5.large']; 6 or more are needed, not 1. .*runs short of spot nodes",
        ),
        (
            "cluster.nodeGroups.spot.instanceTypes.2",
            "m5.xlarge",
            "spot.instanceTypes: m5.xlarge: not the 2 vCPU and 8 GiB of m6i.large",
        ),
        ("cluster.nodeGroups.spot.volumeGib", 8, "spot.volumeGib: got 8; .*Root volume of a node in GiB"),
        ("cluster.nodeGroups.gpu", {}, "cluster.nodeGroups.gpu: unknown key; it takes main, spot"),
        ("cluster.access", {"ci": ["*"]}, "cluster.access.ci[0]: got '*'; .*previews and releases run"),
        (
            "cluster.access",
            {"platform": ["arn:aws:iam::123456789012:root"]},
            "cluster.access.platform[0]: got 'arn:aws:iam::123456789012:root'; .*ARNs of IAM roles or users",
        ),
        ("cluster.access", {"admin": []}, "cluster.access.admin: unknown key; it takes platform, developer"),
        (
            "cluster.quotas",
            {"order": {"cpu": 0, "memoryGib": 1, "pods": 1}},
            "cluster.quotas.order.cpu: got 0; .*Processors that they may ask for",
        ),
        ("cluster.quotas", {"orders": {}}, "cluster.quotas.orders: unknown key, did you mean order"),
        ("observability.alarmEmails", ["me"], "alarmEmails[0]: got 'me'; .*E-mail addresses"),
        ("observability.logRetentionDays", 30, "logRetentionDays: got 30; .*365 or more"),
    ],
)
def test_message_says_key_value_and_remedy(path: str, value: object, expected: str) -> None:
    pattern = re.escape(expected).replace(re.escape(".*"), ".*")

    with pytest.raises(SettingsError, match=pattern):
        read_settings(Settings, raw(changed(path, value)))


@pytest.mark.mission_M40
@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "cloudcommerce:environment: missing. It takes: production or staging"),
        ("prod", "cloudcommerce:environment: got 'prod'. It takes: production or staging"),
        ("", "cloudcommerce:environment: got ''. It takes: production or staging"),
        ("[" * 20_000, "cloudcommerce:environment: got"),
    ],
    ids=["missing", "unknown", "empty", "huge"],
)
def test_a_stack_file_says_which_kind_it_is(value: str | None, expected: str) -> None:
    config = raw(stack_file())
    del config["cloudcommerce:environment"]
    if value is not None:
        config["cloudcommerce:environment"] = value

    with pytest.raises(SettingsError) as failure:
        read_stack_settings(config)

    assert expected in str(failure.value)
    assert len(str(failure.value)) < 300


@pytest.mark.mission_M40
def test_each_kind_of_stack_has_settings_of_its_own() -> None:
    assert isinstance(read_stack_settings(raw(stack_file())), Settings)
    assert isinstance(read_stack_settings(raw(stack_file("staging"))), StagingSettings)
    with pytest.raises(SettingsError, match=r"cloudcommerce:cluster.nodeGroups: unknown key"):
        read_stack_settings(raw(stack_file() | {"cloudcommerce:environment": "staging"}))


def test_all_mistakes_are_told_at_once() -> None:
    config = changed("network.cidr", "ten") | {"cloudcommerce:extra": {}}
    del config["cloudcommerce:registry"]

    with pytest.raises(SettingsError) as failure:
        read_settings(Settings, raw(config))

    assert str(failure.value).startswith("3 mistakes in the stack's settings")
    assert len(str(failure.value).splitlines()) == 4


@pytest.mark.parametrize(
    ("path", "misspelled", "meant"),
    [("registry", "registri", "registry"), ("aws.region", "regoin", "region")],
)
def test_misspelled_key_is_one_mistake(path: str, misspelled: str, meant: str) -> None:
    config = changed(path, REMOVE)
    *above, _ = path.split(".")
    owner = config[f"cloudcommerce:{above[0]}"] if above else config
    owner[misspelled if above else f"cloudcommerce:{misspelled}"] = "us-east-1"

    with pytest.raises(SettingsError) as failure:
        read_settings(Settings, raw(config))

    assert str(failure.value).startswith("1 mistake in")
    assert f"{misspelled}: unknown key, did you mean {meant};" in str(failure.value)


def test_wrong_item_of_a_list_is_one_mistake() -> None:
    with pytest.raises(SettingsError, match="1 mistake in"):
        read_settings(Settings, raw(changed("network.zones.1", 2)))


def test_no_message_is_in_the_words_of_the_library() -> None:
    config = changed("network.zones", [1]) | {
        "cloudcommerce:data": [],
        "cloudcommerce:registry": {"images": {}},
    }

    with pytest.raises(SettingsError) as failure:
        read_settings(Settings, raw(config))

    assert not re.search("Input|should|Tuple|valid", str(failure.value))


@pytest.mark.parametrize("hostile", ["", "{", "[" * 20_000, '{"cidr": ', "\x00", "null"])
def test_hostile_values_are_refused_as_settings(hostile: str) -> None:
    with pytest.raises(SettingsError, match="cloudcommerce:network: got"):
        read_settings(Settings, raw(stack_file()) | {"cloudcommerce:network": hostile})


@pytest.mark.parametrize("days", [d for d in LOG_RETENTION_DAYS if d >= 365])
def test_every_retention_that_cloudwatch_offers_is_taken(days: int) -> None:
    config = raw(changed("observability.logRetentionDays", days))

    assert read_settings(Settings, config).observability.log_retention_days == days


def test_wrong_settings_register_nothing() -> None:
    registered: list[object] = []

    with pytest.raises(Exception, match="cloudcommerce:qqq: unknown key"):
        registered.append(deploy_production(qqq={}))

    assert registered == []


def test_settings_are_immutable() -> None:
    settings = read_settings(Settings, raw(stack_file()))

    with pytest.raises(Exception, match="frozen"):
        settings.network.cidr = "10.0.0.0/16"  # type: ignore[misc]


@pytest.mark.parametrize("environment", MODELS)
def test_committed_schema_is_what_the_model_says(environment: str) -> None:
    committed = SCHEMA_FILES[environment].read_text("utf-8")

    assert committed == render_schema(MODELS[environment]), "run make schema"


@pytest.mark.parametrize(
    "break_it",
    [
        lambda config: config.update({"cloudcommerce:netwrok": {}}),
        lambda config: config["cloudcommerce:network"].update(cdir="10.0.0.0/16"),
        lambda config: config["cloudcommerce:network"].update(natPerZone="yes"),
        lambda config: config.pop("cloudcommerce:tags"),
    ],
)
def test_editors_see_with_the_schema_what_the_program_refuses(
    break_it: Callable[[dict[str, Any]], object],
) -> None:
    schema = json.loads(SCHEMA_FILES["production"].read_text("utf-8"))
    config = copy.deepcopy(stack_file())
    jsonschema.validate({"config": config}, schema)

    break_it(config)

    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"config": config}, schema)
