"""Capacities and what follows from them."""

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.data.document_db import PARAMETERS
from components.data.instance_classes import DOCUMENT_DB, GIB, RABBITMQ, RDS, VALKEY, InstanceClass, capacity
from components.data.postgres_parameters import max_connections, postgres_parameters

pytestmark = pytest.mark.mission_M22

_PAGE = 8192


@pytest.mark.parametrize("table", [RDS, DOCUMENT_DB, VALKEY, RABBITMQ])
def test_an_unknown_class_is_told_with_those_that_are_known_and_the_way_to_add_one(
    table: Mapping[str, InstanceClass],
) -> None:
    with pytest.raises(ValueError, match=r"unknown instance class 'db\.x99\.huge'") as refused:
        capacity(table, "db.x99.huge")

    assert all(name in str(refused.value) for name in table)
    assert "add its capacity" in str(refused.value)


@pytest.mark.parametrize(
    ("name", "gib"), [("db.m7g.large", 8), ("db.r7g.xlarge", 32), ("db.r8g.4xlarge", 128)]
)
def test_memory_follows_family_and_size(name: str, gib: int) -> None:
    assert capacity(RDS, name).memory == gib * GIB


def parameters(memory: int, role: str = "primary") -> dict[str, str]:
    found = postgres_parameters(memory, role)  # type: ignore[arg-type]
    names = [p.name for p in found]
    assert len(names) == len(set(names)), "a parameter twice would be refused by RDS"
    return {p.name: p.value for p in found}


@given(st.integers(min_value=1, max_value=1024).map(lambda gib: gib * GIB))
def test_tuning_never_promises_more_memory_than_there_is(memory: int) -> None:
    found = parameters(memory)
    buffers = int(found["shared_buffers"]) * _PAGE
    maintenance = int(found["maintenance_work_mem"]) * 1024
    sorts = int(found["work_mem"]) * 1024 * int(found["max_connections"])

    assert buffers == pytest.approx(memory / 4, rel=0.01)
    assert int(found["effective_cache_size"]) * _PAGE <= memory
    assert maintenance <= GIB
    # On the smallest classes PostgreSQL's own minimum of 4 MiB a sort outweighs the share.
    assert sorts <= max(memory // 4, 4 * 2**20 * int(found["max_connections"]))


@given(st.integers(min_value=0, max_value=2**50), st.integers(min_value=0, max_value=2**50))
def test_more_memory_never_means_fewer_connections(one: int, other: int) -> None:
    small, large = sorted((one, other))
    assert 200 <= max_connections(small) <= max_connections(large) <= 2000


def test_tls_and_scram_are_forced_and_bind_values_stay_out_of_the_log() -> None:
    found = parameters(8 * GIB)

    assert found["rds.force_ssl"] == "1"
    assert found["ssl_min_protocol_version"] == "TLSv1.2"
    assert found["password_encryption"] == "scram-sha-256"
    assert found["rds.accepted_password_auth_method"] == "scram"
    assert found["log_parameter_max_length"] == "0"
    assert "auto_explain" not in found["shared_preload_libraries"]


def test_a_replica_could_take_its_primary_s_place() -> None:
    primary, replica = parameters(16 * GIB), parameters(16 * GIB, "replica")

    assert primary.items() <= replica.items()
    assert replica.keys() - primary.keys() == {"hot_standby_feedback"}


def test_static_parameters_wait_for_a_reboot_as_rds_demands() -> None:
    """https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_ModifyDBParameterGroup.html"""
    static = {"max_connections", "shared_buffers", "shared_preload_libraries"}
    methods = {p.name: p.apply_method for p in postgres_parameters(8 * GIB, "primary")}

    assert {methods[name] for name in static} == {"pending-reboot"}
    assert methods["log_min_duration_statement"] == "immediate"


def test_what_is_the_engine_s_default_waits_for_a_reboot_so_that_no_update_is_made_for_ever() -> None:
    """https://github.com/hashicorp/terraform-provider-aws/issues/36419"""
    of_postgres = {
        "log_autovacuum_min_duration": "10000",
        "password_encryption": "scram-sha-256",
        "rds.force_ssl": "1",
        "shared_preload_libraries": "pg_stat_statements",
        "ssl_min_protocol_version": "TLSv1.2",
        "track_io_timing": "1",
    }
    of_document_db = {
        "profiler_sampling_rate": "1.0",
        "profiler_threshold_ms": "100",
        "ttl_monitor": "enabled",
    }
    defaults = of_postgres.items() | of_document_db.items()
    parameters = (*postgres_parameters(8 * GIB, "replica"), *PARAMETERS)
    said = [p for p in parameters if (p.name, p.value) in defaults]

    assert {p.name for p in said} >= of_postgres.keys()
    assert {p.apply_method for p in said} == {"pending-reboot"}
