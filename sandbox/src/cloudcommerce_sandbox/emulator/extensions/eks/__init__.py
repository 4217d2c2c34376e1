"""Amazon EKS: moto's has clusters and node groups by name, and little of the rest."""

from __future__ import annotations

from moto.eks.models import eks_backends

from cloudcommerce_sandbox.emulator.extensions.eks.area import Area
from cloudcommerce_sandbox.emulator.extensions.eks.models import EKSBackend
from cloudcommerce_sandbox.emulator.extensions.eks.responses import EKSResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension, Runtime


def _follow(runtime: Runtime) -> None:
    Area.is_followed = runtime.is_followed


EXTENSION = Extension("eks", eks_backends, EKSBackend, EKSResponse, prepare=_follow)
