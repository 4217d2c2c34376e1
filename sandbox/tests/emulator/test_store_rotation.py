"""The product's own rotation function against the emulator's stores: what was valid before no longer is."""

import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.emulator.network import Network, make_network, unique

FUNCTION = Path(__file__).parents[3] / "components" / "secrets" / "rotation_function"
INITIAL = "the-initial-password"
PATIENCE = 120.0


@pytest.fixture(scope="module")
def network(emulator: RunningEmulator) -> Network:
    return make_network(emulator)


@pytest.fixture(scope="module")
def rotator(emulator: RunningEmulator) -> str:
    statement = {
        "Effect": "Allow",
        "Action": "sts:AssumeRole",
        "Principal": {"Service": "lambda.amazonaws.com"},
    }
    role = emulator.client("iam").create_role(
        RoleName=unique("rotator"),
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )["Role"]["Arn"]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        for source in sorted(FUNCTION.glob("*.py")):
            file.write(source, f"{FUNCTION.name}/{source.name}")
    functions, name = emulator.client("lambda"), unique("rotator")
    arn = functions.create_function(
        FunctionName=name,
        Runtime="python3.13",
        Role=role,
        Handler=f"{FUNCTION.name}.handler.handle",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
    )["FunctionArn"]
    functions.add_permission(
        FunctionName=name,
        StatementId="rotation",
        Action="lambda:InvokeFunction",
        Principal="secretsmanager.amazonaws.com",
    )
    return str(arn)


def postgres(emulator: RunningEmulator, network: Network) -> str:
    rds, name = emulator.client("rds"), unique("orders")
    rds.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    rds.create_db_instance(
        DBInstanceIdentifier=name,
        Engine="postgres",
        DBInstanceClass="db.m7g.large",
        AllocatedStorage=20,
        MasterUsername="master",
        MasterUserPassword=INITIAL,
        DBSubnetGroupName=name,
    )
    return name


def docdb(emulator: RunningEmulator, network: Network) -> str:
    client, name = emulator.client("docdb"), unique("users")
    client.create_db_subnet_group(
        DBSubnetGroupName=name, DBSubnetGroupDescription="d", SubnetIds=network.subnets
    )
    client.create_db_cluster(
        DBClusterIdentifier=name,
        Engine="docdb",
        MasterUsername="master",
        MasterUserPassword=INITIAL,
        DBSubnetGroupName=name,
    )
    return name


def valkey(emulator: RunningEmulator, _network: Network) -> str:
    name = unique("sessions")
    emulator.client("elasticache").create_user(
        UserId=name, UserName=name, Engine="valkey", AccessString="on ~* +@all", Passwords=[INITIAL]
    )
    return name


def accepts(emulator: RunningEmulator, store: str, name: str, password: str) -> bool:
    document = {"store": store, "id": name, "password": password}
    return bool(emulator.api("POST", "login", document)["accepted"])


@pytest.mark.mission_M36
@pytest.mark.parametrize(
    ("make", "store"), [(postgres, "instance"), (docdb, "cluster"), (valkey, "cache-user")]
)
def test_the_password_of_a_store_is_rotated(
    emulator: RunningEmulator, network: Network, rotator: str, make: Any, store: str
) -> None:
    secrets, name = emulator.client("secretsmanager"), make(emulator, network)
    value = {"engine": make.__name__, "host": "h", "username": "master", "resource_id": name}
    secret = secrets.create_secret(
        Name=unique("secret"), SecretString=json.dumps({**value, "password": INITIAL, "port": 5432})
    )
    assert accepts(emulator, store, name, INITIAL)
    token = secrets.rotate_secret(SecretId=secret["ARN"], RotationLambdaARN=rotator)["VersionId"]
    deadline = time.monotonic() + PATIENCE
    while "LastRotatedDate" not in secrets.describe_secret(SecretId=secret["ARN"]):
        assert time.monotonic() < deadline, f"not rotated within {PATIENCE:g} s"
        time.sleep(0.2)
    assert secrets.describe_secret(SecretId=secret["ARN"])["VersionIdsToStages"] == {
        secret["VersionId"]: ["AWSPREVIOUS"],
        token: ["AWSCURRENT"],
    }
    rotated = json.loads(secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"])
    assert {**rotated, "password": ""} == {**value, "port": 5432, "password": ""}
    assert rotated["password"] != INITIAL
    assert accepts(emulator, store, name, rotated["password"])
    # Clients of the cache that hold the former password stay connected until the next rotation.
    assert accepts(emulator, store, name, INITIAL) is (store == "cache-user")


def test_a_login_needs_a_store_that_stands(emulator: RunningEmulator) -> None:
    assert not accepts(emulator, "instance", "absent", "")
    for document in ({"store": "disk", "id": "x", "password": "y"}, {"store": "instance"}):
        with pytest.raises(OSError, match="400"):
            emulator.api("POST", "login", document)
