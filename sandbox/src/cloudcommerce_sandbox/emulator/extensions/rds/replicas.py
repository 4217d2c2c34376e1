"""Read replicas: instances that share nothing with their source but what replicas take over."""

from __future__ import annotations

import copy
from typing import Any

from moto.core.utils import utcnow
from moto.rds import models
from moto.rds.exceptions import DBInstanceAlreadyExists

from cloudcommerce_sandbox.emulator.extensions.rds.engines import resource_identifier
from cloudcommerce_sandbox.emulator.wire import ApiError

_REPLICA_DEFAULTS: dict[str, Any] = {
    "deletion_protection": False,
    "backup_retention_period": 0,
    "multi_az": False,
    "enable_performance_insights": False,
    "performance_insights_kms_key_id": None,
    "performance_insights_retention_period": None,
    "monitoring_interval": 0,
    "monitoring_role_arn": None,
    "manage_master_user_password": False,
}


class ReplicasMixin(models.RDSBackend):
    """Read replicas of an RDS backend."""

    SERVICE_NAMESPACE = "rds"

    def create_db_instance_read_replica(self, db_kwargs: dict[str, Any]) -> models.DBInstance:
        """Creates a replica.

        https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstanceReadReplica.html

        Raises:
            DBInstanceAlreadyExists: the identifier is taken.
            DBInstanceNotFoundError: there is no such source.
        """
        identifier = db_kwargs["db_instance_identifier"]
        if identifier in self.databases:
            raise DBInstanceAlreadyExists
        self._validate_db_identifier(identifier)
        source = self.find_db_from_id(db_kwargs["source_db_instance_identifier"])
        self.normalize_keys(db_kwargs)
        replica = copy.copy(source)
        replica.backend = self
        replica.created = replica.instance_create_time = utcnow()
        replica.dbi_resource_id = resource_identifier("db")
        replica.tags = []
        replica.enabled_cloudwatch_logs_exports = db_kwargs.pop("enable_cloudwatch_logs_exports", None) or []
        if source.backend is not self:  # parameter groups are regional
            replica.db_parameter_group_name = None
        for name, value in _REPLICA_DEFAULTS.items():
            setattr(replica, name, value)
        replica.update(**db_kwargs)
        replica.set_as_replica()
        self.databases[identifier] = replica
        source.add_replica(replica)
        return replica

    def promote_read_replica(self, db_kwargs: dict[str, Any]) -> models.DBInstance:
        """Makes a replica an instance of its own, which its former source no longer names."""
        replica = self.describe_db_instances(db_kwargs["db_instance_identifier"])[0]
        if not replica.is_replica:
            raise ApiError("InvalidDBInstanceState", "DB Instance is not a read replica.")
        self.detach_replica(replica)
        replica.update(**db_kwargs)
        return replica

    def detach_replica(self, replica: models.DBInstance) -> None:
        """Makes source and replica forget each other."""
        source = self.find_db_from_id(str(replica.source_db_instance_identifier))
        own = {replica.db_instance_identifier, replica.db_instance_arn}
        source.replicas = [name for name in source.replicas if name not in own]
        replica.is_replica = False
        replica.source_db_instance_identifier = None

    def rename_instance(self, instance: models.DBInstance, old_name: str, old_arn: str) -> None:
        """Lets source and replicas of an instance call it by its new name."""
        for name in instance.replicas:
            replica = self.find_db_from_id(name)
            is_near = replica.backend is self
            replica.source_db_instance_identifier = (
                instance.db_instance_identifier if is_near else instance.db_instance_arn
            )
        if instance.is_replica:
            source = self.find_db_from_id(str(instance.source_db_instance_identifier))
            source.replicas = [name for name in source.replicas if name not in {old_name, old_arn}]
            source.add_replica(instance)

    def normalize_keys(self, kwargs: dict[str, Any]) -> None:
        """Turns the KMS keys of a request into ARNs, as RDS answers them."""
        for name in ("kms_key_id", "performance_insights_kms_key_id"):
            if kwargs.get(name):
                kwargs[name] = self._validate_kms_key(kwargs[name])
