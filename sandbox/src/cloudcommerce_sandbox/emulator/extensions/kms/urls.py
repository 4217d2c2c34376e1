"""URLs of AWS Key Management Service."""

from __future__ import annotations

from moto.kms.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.kms.responses import KmsResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": KmsResponse.dispatch}
