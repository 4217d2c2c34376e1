"""URLs of Amazon MQ."""

from __future__ import annotations

from moto.mq import urls

from cloudcommerce_sandbox.emulator.extensions.mq.responses import MQResponse

url_bases = urls.url_bases

url_paths = {
    **dict.fromkeys(urls.url_paths, MQResponse.dispatch),
    "{0}/v1/broker-engine-types$": MQResponse.dispatch,
    "{0}/v1/broker-instance-options$": MQResponse.dispatch,
}
