"""The controllers that every cluster has."""

from collections.abc import Sequence

from cloudcommerce_sandbox.kubernetes.controllers.access import AccessController
from cloudcommerce_sandbox.kubernetes.controllers.addons import AddonsController
from cloudcommerce_sandbox.kubernetes.controllers.failures import FailuresController
from cloudcommerce_sandbox.kubernetes.controllers.nodes import NodesController
from cloudcommerce_sandbox.kubernetes.controllers.volumes import VolumesController
from cloudcommerce_sandbox.kubernetes.model import Controller


def controllers() -> Sequence[Controller]:
    """Return the controllers of one cluster, in the order in which they are best called."""
    return (
        AccessController(),
        NodesController(),
        AddonsController(),
        VolumesController(),
        FailuresController(),
    )
