"""The environment of processes that work for the sandbox only, whoever started them."""

import os
from collections.abc import Mapping

_FOREIGN = ("AWS_", "ETCD_", "KUBE", "KWOK_", "HELM_", "GODEBUG", "GOGC", "GOMEMLIMIT", "GOMAXPROCS")
_PROXIES = {"http_proxy", "https_proxy", "all_proxy"}


def neutral_environment(inherited: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment without what would lead to other clusters, accounts or proxies.

    Args:
        inherited: The user's environment.
    """
    return {
        key: value
        for key, value in inherited.items()
        if not key.startswith(_FOREIGN) and key.lower() not in _PROXIES
    }
