"""EC2 backend: what goes with a NAT gateway."""

from __future__ import annotations

from moto.ec2 import models
from moto.ec2.models.nat_gateways import NatGateway

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
