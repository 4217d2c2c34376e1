"""What the options of the VPC CNI become in the configuration of its add-on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_OPTIONS: Final[tuple[tuple[str, str, str | None], ...]] = (
    ("nodePortSupport", "AWS_VPC_CNI_NODE_PORT_SUPPORT", None),
    ("warmEniTarget", "WARM_ENI_TARGET", "1"),
    ("warmIpTarget", "WARM_IP_TARGET", None),
    ("warmPrefixTarget", "WARM_PREFIX_TARGET", None),
    ("enablePrefixDelegation", "ENABLE_PREFIX_DELEGATION", None),
    ("logLevel", "AWS_VPC_K8S_CNI_LOGLEVEL", "DEBUG"),
    ("logFile", "AWS_VPC_K8S_CNI_LOG_FILE", "/host/var/log/aws-routed-eni/ipamd.log"),
    ("vethPrefix", "AWS_VPC_K8S_CNI_VETHPREFIX", "eni"),
    ("eniMtu", "AWS_VPC_ENI_MTU", "9001"),
    ("eniConfigLabelDef", "ENI_CONFIG_LABEL_DEF", None),
    ("pluginLogLevel", "AWS_VPC_K8S_PLUGIN_LOG_LEVEL", "DEBUG"),
    ("pluginLogFile", "AWS_VPC_K8S_PLUGIN_LOG_FILE", "/var/log/aws-routed-eni/plugin.log"),
    ("enablePodEni", "ENABLE_POD_ENI", "false"),
    ("cniConfigureRpfilter", "AWS_VPC_K8S_CNI_CONFIGURE_RPFILTER", None),
    # The older `customNetworkConfig` sets the same variable, which the official plugin then overwrites.
    ("cniCustomNetworkCfg", "AWS_VPC_K8S_CNI_CUSTOM_NETWORK_CFG", "false"),
    ("cniExternalSnat", "AWS_VPC_K8S_CNI_EXTERNALSNAT", "false"),
)
_ZERO_COUNTS: Final = "warmEniTarget"
_INIT_OPTION: Final = ("disableTcpEarlyDemux", "DISABLE_TCP_EARLY_DEMUX", "false")


def configuration(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the add-on's configuration values: the program's own over what its options mean.

    Args:
        options: `vpcCniOptions` of a cluster, all values known.
    """
    options = {**options, "cniExternalSnat": options.get("externalSnat") or options.get("cniExternalSnat")}
    variables = {
        variable: text
        for name, variable, default in _OPTIONS
        if (text := _text(name, options.get(name), default)) is not None
    }
    name, variable, default = _INIT_OPTION
    init_variables = {variable: _text(name, options.get(name), default)}
    own: dict[str, Any] = dict(options.get("configurationValues") or {})
    if options.get("enableNetworkPolicy") is not None:
        own.setdefault("enableNetworkPolicy", _shown(options["enableNetworkPolicy"]))
    own["env"] = {**variables, **_table(own.get("env"))}
    init = _table(own.get("init"))
    own["init"] = {**init, "env": {**init_variables, **_table(init.get("env"))}}
    return own


def _table(value: Any) -> dict[str, Any]:
    return dict(value) if isinstance(value, Mapping) else {}


def _text(name: str, value: Any, default: str | None) -> str | None:
    is_given = bool(value) or (name == _ZERO_COUNTS and value is not None)
    return _shown(value) if is_given else default


def _shown(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
