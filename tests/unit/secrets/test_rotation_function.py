"""The rotation function, step by step, against moto's AWS and a broker's management interface.

Moto has no `ModifyUser` for ElastiCache; that one operation is answered here, as botocore would see it.
"""

import json
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import boto3
import botocore.client
import pytest
from moto import mock_aws
from moto.secretsmanager.models import FakeSecret, secretsmanager_backends

from components.secrets.rotation_function import handler
from components.secrets.rotation_function.rabbitmq_store import RabbitMqStore
from components.secrets.rotation_function.stores import NotYetEffectiveError, PostgresStore, wait_until
from components.secrets.rotation_function.versions import RotationRefusedError, Value
from tests.unit.secrets.fake_broker import Broker, running

pytestmark = pytest.mark.mission_M36

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
ENGINES = ("postgres", "docdb", "valkey", "rabbitmq")
FIRST = "FirstPassword0123456789"
# The one place through which every call passes; typed as Any because the stubs hide it.
_CLIENT: Any = botocore.client.BaseClient


@dataclass
class World:
    """One store with one secret, and what the store was told."""

    engine: str
    secret_arn: str
    token: str
    broker: Broker
    passwords: list[Any] = field(default_factory=list)

    def step(self, step: str, token: str | None = None) -> None:
        event = {"Step": step, "SecretId": self.secret_arn, "ClientRequestToken": token or self.token}
        handler.handle(event, None)

    def value(self, stage: str) -> dict[str, Any]:
        secrets = boto3.client("secretsmanager")
        found = secrets.get_secret_value(SecretId=self.secret_arn, VersionStage=stage)["SecretString"]
        value: dict[str, Any] = json.loads(found)
        return value

    def accepted(self) -> set[str]:
        """Passwords that the store accepts now."""
        if self.engine == "rabbitmq":
            return {self.broker.password}
        last = self.passwords[-1] if self.passwords else FIRST
        return set(last) if isinstance(last, list) else {last}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for key, value in {
        "AWS_ACCESS_KEY_ID": "testing",
        "AWS_SECRET_ACCESS_KEY": "testing",
        "AWS_DEFAULT_REGION": "us-east-1",
    }.items():
        monkeypatch.setenv(key, value)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        yield


def make_store(engine: str) -> None:
    rds = boto3.client("rds")
    if engine == "postgres":
        rds.create_db_instance(
            DBInstanceIdentifier="store",
            DBInstanceClass="db.m7g.large",
            Engine="postgres",
            AllocatedStorage=20,
            MasterUsername="cloudcommerce_admin",
            MasterUserPassword=FIRST,
        )
    elif engine == "docdb":
        # Moto serves the docdb interface from its RDS backend, whose list of cluster engines lacks docdb.
        rds.create_db_cluster(
            DBClusterIdentifier="store",
            Engine="aurora-postgresql",
            MasterUsername="cloudcommerce_admin",
            MasterUserPassword=FIRST,
        )
    elif engine == "valkey":
        boto3.client("elasticache").create_user(
            UserId="store",
            UserName="cloudcommerce_admin",
            Engine="redis",
            AccessString="on ~* +@all",
            Passwords=[FIRST],
        )


def make_secret(engine: str, **members: Any) -> str:
    value = {
        "engine": engine,
        "host": "store.example",
        "port": 5432,
        "username": "cloudcommerce_admin",
        "password": FIRST,
        "resource_id": "store",
        "dbname": "postgres",
    }
    secrets = boto3.client("secretsmanager")
    return secrets.create_secret(Name=f"{engine}-master", SecretString=json.dumps(value | members))["ARN"]


def request_rotation(secret_arn: str) -> str:
    """What RotateSecret does before it calls the function: an empty version, labeled pending."""
    token = str(uuid.uuid4())
    backend = secretsmanager_backends["123456789012"]["us-east-1"]
    secret = backend.secrets[secret_arn]
    secret.versions[token] = {"createdate": 0, "version_id": token, "version_stages": ["AWSPENDING"]}
    assert isinstance(secret, FakeSecret)
    secret.rotation_enabled = True
    return token


@pytest.fixture
def make_world(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    broker = Broker(username="cloudcommerce_admin", password=FIRST)
    worlds: list[World] = []
    original = _CLIENT._make_api_call

    def record(client: Any, operation: str, params: dict[str, Any]) -> Any:
        if operation == "ModifyUser":
            worlds[-1].passwords.append(params["AuthenticationMode"]["Passwords"])
            return {"UserId": params["UserId"], "Status": "modifying"}
        if operation in ("ModifyDBInstance", "ModifyDBCluster"):
            assert params["ApplyImmediately"] is True
            worlds[-1].passwords.append(params["MasterUserPassword"])
        return original(client, operation, params)

    monkeypatch.setattr(_CLIENT, "_make_api_call", record)
    monkeypatch.setattr(
        handler, "_STORES", {**handler._STORES, "rabbitmq": lambda: RabbitMqStore(broker.connect)}
    )
    with running(broker):

        def make(engine: str, **members: Any) -> World:
            make_store(engine)
            arn = make_secret(engine, **members)
            worlds.append(World(engine, arn, request_rotation(arn), broker))
            return worlds[-1]

        yield make


@pytest.mark.parametrize("engine", ENGINES)
def test_a_rotation_makes_a_fresh_password_valid_and_current(make_world: Any, engine: str) -> None:
    world = make_world(engine)

    for step in STEPS:
        world.step(step)

    current = world.value("AWSCURRENT")
    assert current["password"] != FIRST
    assert len(current["password"]) == 40
    assert current["password"].isalnum()
    assert current["password"] in world.accepted()
    assert world.value("AWSPREVIOUS")["password"] == FIRST
    assert {k: v for k, v in current.items() if k != "password"} == {
        k: v for k, v in world.value("AWSPREVIOUS").items() if k != "password"
    }


@pytest.mark.parametrize(("engine", "crashed_in"), list(product(ENGINES, range(len(STEPS)))))
def test_a_rotation_converges_after_a_crash_in_any_step(
    make_world: Any, engine: str, crashed_in: int
) -> None:
    """Secrets Manager begins again with the first step after any failure."""
    world = make_world(engine)
    for step in STEPS[: crashed_in + 1]:
        world.step(step)

    for step in STEPS:
        world.step(step)

    assert world.value("AWSCURRENT")["password"] in world.accepted()
    assert world.value("AWSPREVIOUS")["password"] == FIRST


@pytest.mark.parametrize("engine", ENGINES)
def test_every_step_may_run_twice(make_world: Any, engine: str) -> None:
    world = make_world(engine)

    for step in STEPS:
        world.step(step)
        world.step(step)

    assert world.value("AWSCURRENT")["password"] in world.accepted()
    if engine == "rabbitmq":
        assert world.broker.changes == 1


@pytest.mark.parametrize("engine", ENGINES)
def test_a_second_rotation_follows_the_first(make_world: Any, engine: str) -> None:
    world = make_world(engine)
    for step in STEPS:
        world.step(step)
    second = world.value("AWSCURRENT")["password"]

    world.token = request_rotation(world.secret_arn)
    for step in STEPS:
        world.step(step)

    assert world.value("AWSPREVIOUS")["password"] == second
    assert world.value("AWSCURRENT")["password"] in world.accepted()


def test_clients_of_valkey_keep_their_password_through_one_rotation(make_world: Any) -> None:
    world = make_world("valkey")

    for step in STEPS:
        world.step(step)

    assert world.accepted() == {world.value("AWSCURRENT")["password"], FIRST}


def test_the_broker_s_administrator_stays_one(make_world: Any) -> None:
    world = make_world("rabbitmq")
    world.broker.tags = ["administrator", "monitoring"]

    for step in STEPS:
        world.step(step)

    assert world.broker.tags == ["administrator", "monitoring"]


def test_a_broker_that_knows_neither_password_is_not_guessed_at(make_world: Any) -> None:
    world = make_world("rabbitmq")
    world.broker.password = "set by hand"
    world.step("createSecret")

    with pytest.raises(RotationRefusedError, match="neither the current nor the pending password"):
        world.step("setSecret")

    assert world.broker.password == "set by hand"
    assert world.value("AWSCURRENT")["password"] == FIRST


def test_a_broker_that_refuses_the_change_keeps_the_former_password_current(make_world: Any) -> None:
    world = make_world("rabbitmq")
    world.broker.refuse_changes_with = 503
    world.step("createSecret")

    with pytest.raises(NotYetEffectiveError, match="answered 503"):
        world.step("setSecret")
    with pytest.raises(NotYetEffectiveError, match="refuses the password"):
        world.step("testSecret")

    assert world.value("AWSCURRENT")["password"] == FIRST


@pytest.mark.parametrize("engine", ENGINES)
def test_the_rehearsal_when_rotation_is_configured_changes_nothing(make_world: Any, engine: str) -> None:
    """With `RotateImmediately` off, Secrets Manager runs the test step alone on a version nobody filled."""
    world = make_world(engine)

    world.step("testSecret")

    assert world.accepted() == {FIRST}
    assert world.passwords == []


def test_an_unknown_version_is_refused(make_world: Any) -> None:
    world = make_world("postgres")

    with pytest.raises(RotationRefusedError, match="does not exist"):
        world.step("createSecret", token=str(uuid.uuid4()))


def test_a_version_that_is_not_pending_any_more_is_refused(make_world: Any) -> None:
    world = make_world("postgres")
    overtaken = world.token
    for step in STEPS:
        world.step(step)
    for _ in range(2):
        world.token = request_rotation(world.secret_arn)
        for step in STEPS:
            world.step(step)
    secrets = boto3.client("secretsmanager")
    stages = secrets.describe_secret(SecretId=world.secret_arn)["VersionIdsToStages"].get(overtaken, [])
    for stage in stages:
        secrets.update_secret_version_stage(
            SecretId=world.secret_arn, VersionStage=stage, RemoveFromVersionId=overtaken
        )

    with pytest.raises(RotationRefusedError, match=r"does not exist|not AWSPENDING"):
        world.step("setSecret", token=overtaken)


def test_a_current_version_is_left_alone_in_every_step(make_world: Any) -> None:
    world = make_world("postgres")
    for step in STEPS:
        world.step(step)
    told = list(world.passwords)

    for step in STEPS:
        world.step(step)

    assert world.passwords == told


def test_an_unknown_step_is_refused_before_anything_is_read(make_world: Any) -> None:
    world = make_world("postgres")

    with pytest.raises(RotationRefusedError, match="unknown step 'dropSecret'"):
        world.step("dropSecret")


def test_setting_before_creating_is_refused(make_world: Any) -> None:
    world = make_world("postgres")

    with pytest.raises(RotationRefusedError, match="the create step comes first"):
        world.step("setSecret")


def test_switched_off_rotation_is_refused(make_world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    world = make_world("postgres")
    original = _CLIENT._make_api_call

    def switched_off(client: Any, operation: str, params: dict[str, Any]) -> Any:
        answer = original(client, operation, params)
        return {**answer, "RotationEnabled": False} if operation == "DescribeSecret" else answer

    monkeypatch.setattr(_CLIENT, "_make_api_call", switched_off)

    with pytest.raises(RotationRefusedError, match="switched off"):
        world.step("createSecret")


def test_a_pending_value_for_another_store_sets_no_password_there(make_world: Any) -> None:
    """Writing a secret must not be enough to change a password elsewhere."""
    world = make_world("postgres")
    elsewhere = world.value("AWSCURRENT") | {"resource_id": "other-store", "password": "chosen by somebody"}
    boto3.client("secretsmanager").put_secret_value(
        SecretId=world.secret_arn,
        ClientRequestToken=world.token,
        SecretString=json.dumps(elsewhere),
        VersionStages=["AWSPENDING"],
    )

    with pytest.raises(RotationRefusedError, match="another user or store"):
        world.step("setSecret")

    assert world.passwords == []


def test_an_unknown_engine_is_refused(make_world: Any) -> None:
    world = make_world("oracle")

    with pytest.raises(RotationRefusedError, match="unknown engine 'oracle'"):
        world.step("testSecret")


@pytest.mark.parametrize("text", ["", "no json", "[]", '"text"', "null", '{"engine": "postgres"}'])
def test_a_damaged_secret_is_told_from_a_good_one_without_being_shown(text: str) -> None:
    with pytest.raises(RotationRefusedError, match="not a JSON object") as refused:
        Value.parse(text)

    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__


@pytest.mark.parametrize("engine", ENGINES)
def test_no_password_is_logged_or_shown(
    make_world: Any, engine: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", logger=handler.__name__)
    world = make_world(engine)

    for step in STEPS:
        world.step(step)

    ours = "\n".join(r.getMessage() for r in caplog.records if r.name.startswith("components."))
    assert len(ours.splitlines()) == len(STEPS)
    assert FIRST not in ours
    assert world.value("AWSCURRENT")["password"] not in ours
    assert FIRST not in repr(Value.parse(json.dumps(world.value("AWSPREVIOUS"))))


def test_postgres_is_waited_for_until_the_password_has_been_applied() -> None:
    class Resetting:
        answers = iter(
            [
                {"DBInstanceStatus": "available", "PendingModifiedValues": {"MasterUserPassword": "****"}},
                {"DBInstanceStatus": "resetting-master-credentials"},
                {"DBInstanceStatus": "available", "PendingModifiedValues": {}},
            ]
        )

        def describe_db_instances(self, **_: str) -> dict[str, Any]:
            return {"DBInstances": [next(self.answers)]}

    waits: list[float] = []
    value = Value("postgres", "host", "user", "store", "password", {})

    PostgresStore(Resetting(), waits.append).check(value)  # type: ignore[arg-type]

    assert waits == [5, 5]


def test_waiting_ends_with_an_error_within_what_a_step_may_take() -> None:
    waits: list[float] = []

    with pytest.raises(NotYetEffectiveError, match="store has not taken the new password within 300 s"):
        wait_until(lambda: False, "store", sleep=waits.append)

    assert sum(waits) == 300
