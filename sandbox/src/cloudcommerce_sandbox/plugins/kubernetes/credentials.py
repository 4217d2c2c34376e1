"""From a kubeconfig to connections with credentials, by the official client."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit
from urllib.request import proxy_bypass

import urllib3

from cloudcommerce_sandbox.plugins.kubernetes import kubeconfig
from cloudcommerce_sandbox.plugins.kubernetes.errors import UnreachableError

_CONNECTIONS: Final = 128
"""As many as the plugin serves requests at once; they are made on demand."""
_TIMEOUT: Final = urllib3.Timeout(connect=5.0, read=60.0)


def connect(config: Mapping[str, Any], context: str, cluster: str) -> tuple[Any, urllib3.PoolManager]:
    """Return the official client's settings, which know host and token, and a pool of connections.

    Args:
        config: The kubeconfig.
        context: Name of the context; empty for the current one.
        cluster: Name of a cluster that overrides the context's.

    Raises:
        UnreachableError: The kubeconfig is wrong or gives no credentials.
    """
    # Importing the official client takes half a second: only who connects shall pay for it.
    from kubernetes.client import Configuration  # noqa: PLC0415
    from kubernetes.config import ConfigException, load_kube_config_from_dict  # noqa: PLC0415

    chosen = _with_cluster(config, context, cluster)
    settings = Configuration()
    with tempfile.TemporaryDirectory(prefix="kubeconfig-") as files:
        # The client writes certificates and keys to files, which are read here and go at once.
        try:
            load_kube_config_from_dict(
                chosen, context or None, settings, persist_config=False, temp_file_path=files
            )
        except (ConfigException, ValueError, TypeError, OSError) as error:
            message = f"the kubeconfig can't be used: {error}"
            raise UnreachableError(message) from error
        _require_credentials(chosen, context, settings)
        try:
            return settings, _pool(settings)
        except OSError as error:  # an SSLError is one
            message = f"the certificates of the kubeconfig can't be used: {error}"
            raise UnreachableError(message) from error


def _with_cluster(config: Mapping[str, Any], context: str, cluster: str) -> dict[str, Any]:
    chosen = context or config.get("current-context")
    contexts = [
        {**item, "context": {**(item.get("context") or {}), "cluster": cluster}}
        if cluster and item.get("name") == chosen
        else item
        for item in config.get("contexts") or ()
    ]
    return {**config, "contexts": contexts}


def _require_credentials(config: Mapping[str, Any], context: str, settings: Any) -> None:
    """Say why an `exec` command gave no credentials; the official client only logs it."""
    from kubernetes.config import ConfigException  # noqa: PLC0415
    from kubernetes.config.exec_provider import ExecProvider  # noqa: PLC0415
    from kubernetes.config.kube_config import ConfigNode  # noqa: PLC0415

    chosen = kubeconfig.entry(config, "contexts", context or str(config.get("current-context"))) or {}
    user = kubeconfig.entry(config, "users", str(chosen.get("user"))) or {}
    if "exec" not in user or settings.api_key.get("authorization") or settings.cert_file:
        return
    try:
        ExecProvider(ConfigNode("exec", user["exec"]), None).run()
        reason = "it gives neither a token nor a certificate"
    except (ConfigException, OSError, ValueError) as error:
        reason = str(error)
    command = " ".join([str(user["exec"].get("command")), *(user["exec"].get("args") or ())])
    message = f"`{command}` of the kubeconfig gives no credentials: {reason}"
    raise UnreachableError(message)


def _pool(settings: Any) -> urllib3.PoolManager:
    tls = ssl.create_default_context(cafile=settings.ssl_ca_cert or None)
    # A private cluster's own CA need not carry the extensions that strict checking wants.
    tls.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if not settings.verify_ssl:
        tls.check_hostname, tls.verify_mode = False, ssl.CERT_NONE
        # The kubeconfig asks for it; saying so at every request helps nobody.
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
    if settings.cert_file:
        tls.load_cert_chain(settings.cert_file, settings.key_file or None)
    pool: dict[str, Any] = {
        "num_pools": 2,
        "maxsize": _CONNECTIONS,
        "ssl_context": tls,
        "timeout": _TIMEOUT,
    }
    if settings.tls_server_name:
        pool["server_hostname"] = settings.tls_server_name
    # The client reads the environment's proxy and forgets what the environment exempts from it.
    if settings.proxy and not proxy_bypass(urlsplit(settings.host).hostname or ""):
        return urllib3.ProxyManager(settings.proxy, **pool)
    return urllib3.PoolManager(**pool)
