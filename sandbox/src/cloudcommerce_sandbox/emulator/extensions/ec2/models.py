"""EC2 backend: what goes with a NAT gateway; flow logs as log groups and the tagging API know them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from moto.core.resource_tagging import TaggedResource
from moto.ec2 import models
from moto.ec2.models.flow_logs import FlowLogs
from moto.ec2.models.nat_gateways import NatGateway
from moto.logs.models import logs_backends

from cloudcommerce_sandbox.emulator.wire import ApiError


class EC2Backend(models.EC2Backend):
    """moto's EC2 backend with ours."""

    SERVICE_NAMESPACE = "ec2"

    def delete_nat_gateway(self, nat_gateway_id: str) -> NatGateway:
        """Deletes a NAT gateway with its network interface; moto's stays behind in the subnet.

        Raises:
            ApiError: NatGatewayNotFound.
        """
        if nat_gateway_id not in self.nat_gateways:
            raise ApiError("NatGatewayNotFound", f"The Nat Gateway {nat_gateway_id} was not found")
        gateway: NatGateway = super().delete_nat_gateway(nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        return gateway

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields what the tagging API lists; moto's name for flow logs is not that of their ARN.

        https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html
        """
        for resource in super().iter_tagged_resources():
            if resource.resource_type == "ec2:flow-logs":
                arn = resource.arn.replace(":flow-logs/", ":vpc-flow-log/")
                yield TaggedResource(arn, resource.tags, "ec2:vpc-flow-log")
            else:
                yield resource

    def create_flow_logs(self, *args: Any, **kwargs: Any) -> tuple[list[FlowLogs], list[Any]]:
        """Creates flow logs; moto looks for a log group by its name alone and calls any other FAILED."""
        created: tuple[list[FlowLogs], list[Any]] = super().create_flow_logs(*args, **kwargs)
        for flow_log in created[0]:
            by_arn = flow_log.log_destination_type == "cloud-watch-logs" and flow_log.log_destination
            if by_arn and self._log_group_exists(str(flow_log.log_destination)):
                flow_log.deliver_logs_status, flow_log.deliver_logs_error_message = "SUCCESS", None
        return created

    @staticmethod
    def _log_group_exists(arn: str) -> bool:
        prefix, _, name = arn.partition(":log-group:")
        region, account = prefix.split(":")[3:5]
        return name.removesuffix(":*") in logs_backends[account][region].groups
