"""URLs of Amazon ECR."""

from __future__ import annotations

from moto.ecr.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.ecr.responses import ECRResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": ECRResponse.dispatch}
