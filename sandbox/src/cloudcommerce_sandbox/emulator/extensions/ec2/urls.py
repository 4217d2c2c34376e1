"""URLs of Amazon EC2."""

from __future__ import annotations

from moto.ec2 import urls

from cloudcommerce_sandbox.emulator.extensions.ec2.responses import EC2Response

url_bases = urls.url_bases

url_paths = dict.fromkeys(urls.url_paths, EC2Response.dispatch)
