"""Amazon RDS and Amazon DocumentDB."""

from __future__ import annotations

from moto.rds.models import rds_backends

from cloudcommerce_sandbox.emulator.extensions.rds.engines import admit_documentdb
from cloudcommerce_sandbox.emulator.extensions.rds.models import RDSBackend
from cloudcommerce_sandbox.emulator.extensions.rds.responses import RDSResponse
from cloudcommerce_sandbox.emulator.extensions.registry import Extension

EXTENSION = Extension("rds", rds_backends, RDSBackend, RDSResponse, prepare=lambda _: admit_documentdb())
