"""EC2 operations: moto's, on our backend."""

from __future__ import annotations

from moto.ec2 import responses


class EC2Response(responses.EC2Response):
    """moto's EC2 operations; what differs is in the backend."""
