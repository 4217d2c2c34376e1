"""URLs of Amazon CloudWatch."""

from __future__ import annotations

from moto.cloudwatch.urls import url_bases

from cloudcommerce_sandbox.emulator.extensions.cloudwatch.responses import CloudWatchResponse

__all__ = ["url_bases", "url_paths"]

url_paths = {"{0}/$": CloudWatchResponse.dispatch}
