"""URLs of AWS Lambda."""

from __future__ import annotations

from moto.awslambda import urls

from cloudcommerce_sandbox.emulator.extensions.awslambda.responses import LambdaResponse

url_bases = urls.url_bases

url_paths = dict.fromkeys(urls.url_paths, LambdaResponse.dispatch)
