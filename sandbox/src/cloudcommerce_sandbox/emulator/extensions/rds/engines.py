"""DocumentDB as an engine of moto's RDS, and what both engines make of what a caller leaves out."""

from __future__ import annotations

import random
import string
from datetime import datetime
from typing import Any

from moto.core.utils import utcnow
from moto.rds import models
from moto.rds.utils import ClusterEngine, DbInstanceEngine

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.extensions.rds.proxies import DBProxyTargetGroup

DOCUMENTDB = "docdb"
DOCUMENTDB_PORT = 27017
_CERTIFICATE_AUTHORITY = "rds-ca-rsa2048-g1"

# gp3 comes with these for PostgreSQL below 400 GiB and above:
# https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html#gp3-storage
GP3_THRESHOLD_GIB = 400
_GP3_SMALL = (3000, 125)
_GP3_LARGE = (12000, 500)


def admit_documentdb() -> None:
    """Lets moto's RDS take the engine and use our instances and clusters in all that it does."""
    instance_engines = [*DbInstanceEngine.valid_db_instance_engine(), DOCUMENTDB]
    cluster_engines = [*ClusterEngine.list_cluster_engines(), DOCUMENTDB]
    for owner, name, value in (
        (DbInstanceEngine, "valid_db_instance_engine", staticmethod(lambda: instance_engines)),
        (ClusterEngine, "list_cluster_engines", staticmethod(lambda: cluster_engines)),
        (models, "DBCluster", DBCluster),
        (models, "DBInstance", DBInstance),
        (models, "DBInstanceClustered", DBInstanceClustered),
        (models, "DBProxyTargetGroup", DBProxyTargetGroup),
    ):
        setattr(owner, name, value)


def resource_identifier(prefix: str) -> str:
    """Returns an immutable identifier as RDS gives them."""
    letters = string.ascii_uppercase + string.digits
    return f"{prefix}-{''.join(random.choices(letters, k=26))}"  # noqa: S311 - an identifier, no secret


def resolved_version(engine: str, version: str | None) -> str | None:
    """Returns the full version of what was asked, or that itself when it is not in the catalog."""
    known = catalog.resolve(engine, version)
    return known.version if known else version


# moto's own, before ours take their names in its module.
_MOTO_CLUSTER = models.DBCluster
_MOTO_INSTANCE = models.DBInstance


class _InstanceSettings:
    """What an instance reads back beyond moto's."""

    engine: str
    backend: Any
    region: str
    account_id: str
    db_instance_identifier: str

    enable_performance_insights: bool | None = None
    performance_insights_kms_key_id: str | None = None
    performance_insights_retention_period: int | None = None
    database_insights_mode: str | None = None
    dedicated_log_volume: bool | None = None
    network_type: str | None = None
    engine_lifecycle_support: str | None = None
    monitoring_interval: int = 0
    multi_az: bool = False

    def _remember(self, settings: dict[str, Any]) -> None:
        self.dbi_resource_id = resource_identifier("db")
        self.database_insights_mode = settings.get("database_insights_mode") or "standard"
        self.dedicated_log_volume = bool(settings.get("dedicated_log_volume"))
        self.network_type = settings.get("network_type") or "IPV4"
        self.engine_lifecycle_support = (
            settings.get("engine_lifecycle_support") or "open-source-rds-extended-support"
        )
        self.enable_performance_insights = bool(settings.get("enable_performance_insights"))
        self.performance_insights_kms_key_id = settings.get("performance_insights_kms_key_id")
        self.performance_insights_retention_period = settings.get("performance_insights_retention_period")
        if not settings.get("ca_certificate_identifier"):
            self.ca_certificate_identifier = _CERTIFICATE_AUTHORITY

    @property
    def performance_insights_enabled(self) -> bool:
        """Whether Performance Insights is on; its key and retention are read back only then."""
        return bool(self.enable_performance_insights)

    @property
    def enhanced_monitoring_resource_arn(self) -> str | None:
        """Log stream of enhanced monitoring, while it is on."""
        if not self.monitoring_interval:
            return None
        group = f"arn:aws:logs:{self.region}:{self.account_id}:log-group:RDSOSMetrics"
        return f"{group}:log-stream:{self.dbi_resource_id}"

    @property
    def address(self) -> str:
        """Host name of the instance's endpoint."""
        service = DOCUMENTDB if self.engine == DOCUMENTDB else "rds"
        return f"{self.db_instance_identifier}.c0emulator00.{self.region}.{service}.amazonaws.com"


class DBInstance(_InstanceSettings, models.DBInstance):
    """An instance that stands alone, with everything that it was created with read back."""

    def __init__(self, backend: models.RDSBackend, **kwargs: Any) -> None:
        kwargs["engine_version"] = resolved_version(kwargs["engine"], kwargs.get("engine_version"))
        if kwargs["engine"] == "postgres":
            kwargs.setdefault("license_model", "postgresql-license")
        super().__init__(backend, **kwargs)
        self._remember(kwargs)
        self._default_gp3()

    def _default_gp3(self) -> None:
        if self.storage_type == "gp3":
            baseline = _GP3_SMALL if self.allocated_storage < GP3_THRESHOLD_GIB else _GP3_LARGE
            instance: Any = self  # moto declares IOPS as text
            instance.iops = self.iops or baseline[0]
            self.storage_throughput = self.storage_throughput or baseline[1]

    @staticmethod
    def default_port(engine: str) -> int:
        """Returns the port of an instance that asked for none."""
        return DOCUMENTDB_PORT if engine == DOCUMENTDB else int(_MOTO_INSTANCE.default_port(engine))

    @property
    def secondary_availability_zone(self) -> str | None:
        """Zone of the standby of a Multi-AZ instance: the first of its subnet group's that is not its own."""
        group = getattr(self, "db_subnet_group", None)
        if not self.multi_az or group is None:
            return None
        zones = sorted(subnet["SubnetAvailabilityZone"]["Name"] for subnet in group.subnets)
        return next((zone for zone in zones if zone != self.availability_zone), None)


class DBInstanceClustered(_InstanceSettings, models.DBInstanceClustered):
    """An instance of a cluster, placed in the zone of its subnet group with the fewest siblings."""

    def __init__(self, db_cluster_identifier: str, **kwargs: Any) -> None:
        backend = kwargs["backend"]
        cluster = backend.clusters.get(db_cluster_identifier)
        group = backend.subnet_groups.get(cluster.db_subnet_group_name) if cluster else None
        if group is not None:
            kwargs["db_subnet_group_name"] = group.name
            kwargs["availability_zone"] = kwargs.get("availability_zone") or _emptiest_zone(cluster, group)
        super().__init__(db_cluster_identifier=db_cluster_identifier, **kwargs)
        self._remember(kwargs)

    @property
    def storage_type(self) -> str:
        """Storage of the cluster's volume."""
        return "standard" if self.engine == DOCUMENTDB else "aurora"

    @storage_type.setter
    def storage_type(self, value: str) -> None:
        raise NotImplementedError("the cluster's volume, not the instance, has a storage type")


def _emptiest_zone(cluster: models.DBCluster, group: models.DBSubnetGroup) -> str:
    zones = sorted({subnet["SubnetAvailabilityZone"]["Name"] for subnet in group.subnets})
    taken = [member.availability_zone for member in cluster.members]
    emptiest: str = min(zones, key=taken.count)
    return emptiest


class DBCluster(models.DBCluster):
    """A cluster that may be DocumentDB's."""

    def __init__(self, backend: models.RDSBackend, **kwargs: Any) -> None:
        engine = kwargs.get("engine", "")
        kwargs["engine_version"] = resolved_version(engine, kwargs.get("engine_version"))
        super().__init__(backend, **kwargs)
        cluster: Any = self  # moto declares a key for every cluster
        if self.kms_key_id == "default_kms_key_id":  # its word for none, which no restore can look up
            cluster.kms_key_id = None
        if engine == DOCUMENTDB:
            self.license_model = "na"
            self.storage_type = kwargs.get("storage_type") or "standard"
            if not kwargs.get("db_cluster_parameter_group_name"):
                self.parameter_group = f"default.{_documentdb_family(self.engine_version)}"

    @property
    def endpoint(self) -> str:
        """Host name that follows the writer."""
        return self._host("cluster")

    @property
    def reader_endpoint(self) -> str:
        """Host name that spreads over the readers."""
        return self._host("cluster-ro")

    def _host(self, kind: str) -> str:
        service = DOCUMENTDB if self.engine == DOCUMENTDB else "rds"
        return (
            f"{self.db_cluster_identifier}.{kind}-{self.url_identifier}.{self.region}.{service}.amazonaws.com"
        )

    @property
    def latest_restorable_time(self) -> datetime:
        """Now: the emulator's clusters lag behind nothing."""
        now: datetime = utcnow()
        return now

    @staticmethod
    def default_engine_version(engine: str) -> str:
        """Returns the version of a cluster that asked for none."""
        known = catalog.resolve(engine, None)
        return known.version if known else str(_MOTO_CLUSTER.default_engine_version(engine))

    @staticmethod
    def default_port(engine: str) -> int:
        """Returns the port of a cluster that asked for none."""
        return DOCUMENTDB_PORT if engine == DOCUMENTDB else int(_MOTO_CLUSTER.default_port(engine))

    @staticmethod
    def default_allocated_storage(engine: str, storage_type: str) -> int:
        """Returns the storage that a cluster reports: DocumentDB's grows by itself and reports 1 GiB."""
        if engine == DOCUMENTDB:
            return 1
        return int(_MOTO_CLUSTER.default_allocated_storage(engine, storage_type))


def _documentdb_family(version: str) -> str:
    return f"docdb{version.rpartition('.')[0]}"
