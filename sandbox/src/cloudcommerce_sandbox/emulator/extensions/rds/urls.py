"""URLs of Amazon RDS."""

from __future__ import annotations

from moto.rds.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.rds.responses import RDSResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": RDSResponse.dispatch, "{0}$": RDSResponse.dispatch}
