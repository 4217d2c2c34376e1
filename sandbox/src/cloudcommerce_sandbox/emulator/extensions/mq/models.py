"""Amazon MQ backend: brokers whose changes wait for a reboot, as AWS's do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.moto_api._internal import mock_random
from moto.mq import models

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.wire import ApiError

RABBITMQ = "RABBITMQ"
AMQPS_PORT = 5671

# https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rmq-broker-instance-types.html and
# https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-version-management.html
_M7G = tuple(
    f"mq.m7g.{size}" for size in ("medium", "large", "xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge")
)
_M5 = tuple(f"mq.m5.{size}" for size in ("large", "xlarge", "2xlarge", "4xlarge"))
INSTANCE_TYPES = {"3.13": ("mq.t3.micro", *_M5, *_M7G), "4.2": _M7G, "4.3": _M7G}
NEVER_CLUSTERED = {"mq.t3.micro"}

# What an update sets, by what waits for it until a reboot.
_PENDING = {
    "engine_version": "pending_engine_version",
    "host_instance_type": "pending_host_instance_type",
    "security_groups": "pending_security_groups",
    "authentication_strategy": "pending_authentication_strategy",
    "ldap_server_metadata": "pending_ldap_server_metadata",
}


class Broker(models.Broker):
    """A broker with the identifiers and endpoints that AWS gives, and changes that wait for a reboot."""

    pending_engine_version: str | None = None
    pending_host_instance_type: str | None = None
    pending_security_groups: list[str] | None = None
    pending_authentication_strategy: str | None = None
    pending_ldap_server_metadata: dict[str, Any] | None = None

    def __init__(self, account_id: str, region: str, **settings: Any) -> None:
        settings["engine_type"] = settings["engine_type"].upper()
        settings["authentication_strategy"] = (settings.get("authentication_strategy") or "SIMPLE").upper()
        settings["storage_type"] = settings.get("storage_type") or "EBS"
        super().__init__(account_id=account_id, region=region, **settings)
        self.id = f"b-{mock_random.uuid4()}"
        self.arn = f"arn:aws:mq:{region}:{account_id}:broker:{self.name}:{self.id}"
        self.publicly_accessible = bool(settings.get("publicly_accessible"))
        self.logs = dict(self.logs)
        self._name_log_groups()
        if self.engine_type == RABBITMQ:
            # A RabbitMQ cluster stands behind one load balancer: one instance, one endpoint.
            host = f"{self.id}.mq.{region}.on.aws"
            endpoints = [f"amqps://{host}:{AMQPS_PORT}"]
            self.instances = [{"consoleURL": f"https://{host}", "endpoints": endpoints}]
        # RabbitMQ keeps its users to itself:
        # https://docs.aws.amazon.com/amazon-mq/latest/developer-guide/rabbitmq-basic-elements-user.html
        if self.engine_type == RABBITMQ:
            self._users = {}

    def _name_log_groups(self) -> None:
        if self.logs.get("General"):
            logs: dict[str, Any] = self.logs  # moto declares switches only
            logs["GeneralLogGroup"] = f"/aws/amazonmq/broker/{self.id}/general"

    def update(self, *_: Any, **changes: Any) -> None:
        """Takes a change: maintenance window and minor upgrades at once, the rest at the next reboot."""
        for name in ("auto_minor_version_upgrade", "maintenance_window_start_time"):
            if changes.get(name) is not None:
                setattr(self, name, changes[name])
        for name, pending in _PENDING.items():
            if changes.get(name) is not None and changes[name] != getattr(self, name):
                setattr(self, pending, changes[name])
        if changes.get("configuration"):
            self.configurations["pending"] = changes["configuration"]
        if changes.get("logs"):
            self.logs["Pending"] = changes["logs"]

    def reboot(self) -> None:
        """Makes what was pending current."""
        for name, pending in _PENDING.items():
            if getattr(self, pending) is not None:
                setattr(self, name, getattr(self, pending))
                setattr(self, pending, None)
        configuration = self.configurations.pop("pending", None)
        if configuration:
            self.configurations["history"].append(self.configurations["current"])
            self.configurations["current"] = configuration
        settings: dict[str, Any] = dict(self.logs)
        pending_logs = settings.pop("Pending", None)
        if pending_logs:
            self.logs = {**settings, **pending_logs}
            self._name_log_groups()


class MQBackend(models.MQBackend, TaggableResourcesMixin):
    """moto's Amazon MQ backend with ours."""

    SERVICE_NAMESPACE: ClassVar[str] = "mq"

    def create_broker(self, *_: Any, **settings: Any) -> tuple[str, str]:
        """Creates a broker.

        Raises:
            ApiError: ConflictException for a taken name, or NotFoundException for a missing configuration.
        """
        name = settings["broker_name"]
        if any(broker.name == name for broker in self.brokers.values()):
            raise ApiError("ConflictException", f"Broker with the name [{name}] already exists.", 409)
        configuration = settings.get("configuration")
        if configuration:
            self.describe_configuration(configuration["Id"])
        tags = settings.get("tags")
        settings["tags"] = tags or {}
        identifiers: tuple[str, str] = super().create_broker(**settings)
        return identifiers

    def delete_broker(self, broker_id: str) -> None:
        """Deletes a broker and the configuration that was made for it."""
        broker = self.describe_broker(broker_id)
        self.tagger.delete_all_tags_for_resource(broker.arn)
        super().delete_broker(broker_id)
        own = f"{broker.name}-configuration"
        for identifier, configuration in list(self.configs.items()):
            used = broker.configurations["current"].get("Id") == identifier
            if used and configuration.name == own and not self.list_tags(configuration.arn):
                del self.configs[identifier]

    def reboot_broker(self, broker_id: str) -> None:
        """Reboots a broker, which makes pending changes current."""
        self.describe_broker(broker_id).reboot()

    def update_broker(self, *_: Any, **changes: Any) -> None:
        """Changes a broker; most of it waits for a reboot."""
        broker = self.describe_broker(changes.pop("broker_id"))
        if changes.get("configuration"):
            self.describe_configuration(changes["configuration"]["Id"])
        broker.update(**changes)

    def update_configuration(self, config_id: str, data: str, description: str) -> models.Configuration:
        """Adds a revision to a configuration."""
        self.describe_configuration(config_id)
        configuration: models.Configuration = super().update_configuration(config_id, data, description)
        return configuration

    def describe_configuration_revision(
        self, config_id: str, revision_id: str
    ) -> models.ConfigurationRevision:
        """Returns a revision of a configuration.

        Raises:
            ApiError: NotFoundException when there is no such revision.
        """
        configuration = self.describe_configuration(config_id)
        if revision_id not in configuration.revisions:
            message = f"Can't find requested configuration revision [{revision_id}]."
            raise ApiError("NotFoundException", message, 404)
        revision: models.ConfigurationRevision = configuration.get_revision(revision_id)
        return revision

    def describe_broker_engine_types(self, engine_type: str | None) -> list[dict[str, Any]]:
        """Returns the engines with their versions."""
        return [
            {
                "EngineType": engine,
                "EngineVersions": [{"Name": version.version} for version in catalog.engine_versions(engine)],
            }
            for engine in ("ACTIVEMQ", RABBITMQ)
            if engine_type is None or engine_type.upper() == engine
        ]

    def describe_broker_instance_options(self, host_instance_type: str | None) -> list[dict[str, Any]]:
        """Returns RabbitMQ's instance types with the versions and deployment modes that each supports."""
        options = []
        for instance_type in dict.fromkeys(name for names in INSTANCE_TYPES.values() for name in names):
            modes = ["SINGLE_INSTANCE"]
            if instance_type not in NEVER_CLUSTERED:
                modes.append("CLUSTER_MULTI_AZ")
            options.append(
                {
                    "AvailabilityZones": [{"Name": f"{self.region_name}{letter}"} for letter in "abc"],
                    "EngineType": RABBITMQ,
                    "HostInstanceType": instance_type,
                    "StorageType": "EBS",
                    "SupportedDeploymentModes": modes,
                    "SupportedEngineVersions": [
                        v for v, names in INSTANCE_TYPES.items() if instance_type in names
                    ],
                }
            )
        return [o for o in options if host_instance_type in (None, o["HostInstanceType"])]

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields brokers and configurations."""
        for kind, resources in (("broker", self.brokers), ("configuration", self.configs)):
            for resource in resources.values():
                yield TaggedResource(resource.arn, self.list_tags(resource.arn), f"mq:{kind}")

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        """Tags a broker or a configuration."""
        self.create_tags(arn, tags)

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        """Takes tags from a broker or a configuration."""
        self.delete_tags(arn, tag_keys)
