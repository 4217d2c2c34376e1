"""RDS operations: corrections of moto's and what it lacks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from moto.core.responses import ActionResult, PaginatedResult
from moto.rds import responses
from moto.rds.models import rds_backends

from cloudcommerce_sandbox.emulator import catalog
from cloudcommerce_sandbox.emulator.extensions.rds.models import RDSBackend

_ENGINES = ("postgres", "docdb")


class RDSResponse(responses.RDSResponse):
    """moto's RDS operations with ours."""

    @property
    def backend(self) -> RDSBackend:
        """Backend of the caller's account and region."""
        return cast("RDSBackend", rds_backends[self.current_account][self.region])

    def describe_db_engine_versions(self) -> ActionResult:
        """Lists the versions that can be created."""
        versions = [v for engine in self._engines() for v in _described_versions(engine)]
        asked = self.params.get("EngineVersion")
        family = self.params.get("DBParameterGroupFamily")
        if self.params.get("DefaultOnly"):
            versions = [v for v in versions if v.pop("IsDefault")]
        versions = [
            version
            for version in versions
            if (not asked or f"{version['EngineVersion']}.".startswith(f"{asked}."))
            and (not family or version["DBParameterGroupFamily"] == family)
        ]
        return PaginatedResult({"DBEngineVersions": versions})

    def _engines(self) -> list[str]:
        engine = self.params.get("Engine")
        return [engine] if engine else list(_ENGINES)

    def describe_db_parameters(self) -> ActionResult:
        """Lists an instance parameter group's parameters with where each comes from."""
        name = self.params["DBParameterGroupName"]
        parameters = self.backend.describe_db_parameters(name, self.params.get("Source"))
        return ActionResult({"Parameters": parameters})

    def reset_db_parameter_group(self) -> ActionResult:
        """Takes back what a user set."""
        group = self.backend.reset_db_parameter_group(
            self.params["DBParameterGroupName"],
            bool(self.params.get("ResetAllParameters")),
            self.params.get("Parameters", []),
        )
        return ActionResult({"DBParameterGroupName": group.name})

    def describe_db_cluster_parameters(self) -> ActionResult:
        """Lists a cluster parameter group's parameters with where each comes from."""
        name = self.params["DBClusterParameterGroupName"]
        parameters = self.backend.describe_db_cluster_parameter_list(name, self.params.get("Source"))
        return ActionResult({"Parameters": parameters})

    def reset_db_cluster_parameter_group(self) -> ActionResult:
        """Takes back what a user set."""
        group = self.backend.reset_db_cluster_parameter_group(
            self.params["DBClusterParameterGroupName"],
            bool(self.params.get("ResetAllParameters")),
            self.params.get("Parameters", []),
        )
        return ActionResult({"DBClusterParameterGroupName": group.name})

    def create_event_subscription(self) -> ActionResult:
        """Creates an event subscription, enabled unless told otherwise."""
        if self.params.get("Enabled") is None:
            self.params["Enabled"] = True
        subscription = self.backend.create_event_subscription(self.params)
        return ActionResult({"EventSubscription": subscription})

    def modify_event_subscription(self) -> ActionResult:
        """Modifies an event subscription."""
        subscription = self.backend.modify_event_subscription(self.params)
        return ActionResult({"EventSubscription": subscription})

    def add_source_identifier_to_subscription(self) -> ActionResult:
        """Adds a source to an event subscription."""
        subscription = self.backend.add_source_identifier(
            self.params["SubscriptionName"], self.params["SourceIdentifier"]
        )
        return ActionResult({"EventSubscription": subscription})

    def remove_source_identifier_from_subscription(self) -> ActionResult:
        """Removes a source from an event subscription."""
        subscription = self.backend.remove_source_identifier(
            self.params["SubscriptionName"], self.params["SourceIdentifier"]
        )
        return ActionResult({"EventSubscription": subscription})

    def modify_global_cluster(self) -> ActionResult:
        """Modifies a global cluster."""
        backend = cast("RDSBackend", self.global_backend)
        return ActionResult({"GlobalCluster": backend.modify_global_cluster(self.params)})

    def modify_db_proxy(self) -> ActionResult:
        """Modifies a proxy."""
        return ActionResult({"DBProxy": self.backend.modify_db_proxy(self.params)})


def _described_versions(engine: str) -> Iterator[dict[str, Any]]:
    for version in catalog.engine_versions(engine):
        exports = ["audit", "profiler"] if engine == "docdb" else ["postgresql", "upgrade"]
        yield {
            "Engine": engine,
            "EngineVersion": version.version,
            "MajorEngineVersion": version.version.split(".")[0],
            "DBParameterGroupFamily": version.family,
            "ExportableLogTypes": exports,
            "SupportsLogExportsToCloudwatchLogs": True,
            "SupportsReadReplica": engine == "postgres",
            "Status": "available",
            "IsDefault": version.is_default,
        }
