"""Functions of the provider."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from cloudcommerce_sandbox.plugins.aws import service_functions
from cloudcommerce_sandbox.plugins.aws.clients import REGION_FORM, is_region
from cloudcommerce_sandbox.plugins.aws.operation import partition_of
from cloudcommerce_sandbox.plugins.aws.policy_document import policy_document
from cloudcommerce_sandbox.plugins.provider import ProviderError

if TYPE_CHECKING:
    from cloudcommerce_sandbox.plugins.aws.provider import AwsProvider

Arguments = dict[str, Any]
_DNS_SUFFIXES = {"aws": "amazonaws.com", "aws-cn": "amazonaws.com.cn", "aws-us-gov": "amazonaws.com"}
_REVERSED = {"aws": "com.amazonaws", "aws-cn": "cn.com.amazonaws", "aws-us-gov": "com.amazonaws"}


def invoke(provider: AwsProvider, token: str, args: Arguments) -> dict[str, Any]:
    """Run a function by its token, for example `aws:index/getRegion:getRegion`.

    Raises:
        ProviderError: The sandbox does not implement the function.
    """
    _, _, function_token = token.partition(":")
    module, _, function_name = function_token.rpartition(":")
    function = _FUNCTIONS.get(f"{module.partition('/')[0]}:{function_name}")
    if function is None:
        known = ", ".join(sorted(_FUNCTIONS))
        message = f"the sandbox does not implement the function {token}; it has {known}"
        raise ProviderError(message)
    return function(provider, args)


def _region_of(provider: AwsProvider, args: Arguments, *names: str) -> str:
    given = (args[name] for name in ("region", *names) if args.get(name))
    region = next(given, provider.clients.default_region)
    if not isinstance(region, str) or not is_region(region):
        message = f"region: {region!r} is no name of a region; {REGION_FORM}"
        raise ProviderError(message)
    return region


def _caller_identity(provider: AwsProvider, _args: Arguments) -> dict[str, Any]:
    told = provider.clients.call("sts", provider.clients.default_region, "get_caller_identity", {})
    return {"id": told["Account"], "accountId": told["Account"], "arn": told["Arn"], "userId": told["UserId"]}


def _region(provider: AwsProvider, args: Arguments) -> dict[str, Any]:
    region = _region_of(provider, args, "name")
    partition = partition_of(region)
    return {
        "id": region,
        "name": region,
        "region": region,
        "description": region,
        "endpoint": args.get("endpoint") or f"ec2.{region}.{_DNS_SUFFIXES[partition]}",
    }


def _partition(provider: AwsProvider, _args: Arguments) -> dict[str, Any]:
    partition = partition_of(provider.clients.default_region)
    return {
        "id": partition,
        "partition": partition,
        "dnsSuffix": _DNS_SUFFIXES[partition],
        "reverseDnsPrefix": _REVERSED[partition],
    }


def _zones(provider: AwsProvider, args: Arguments) -> dict[str, Any]:
    region = _region_of(provider, args)
    try:
        filters = [{"Name": one["name"], "Values": list(one["values"])} for one in args.get("filters") or ()]
    except (KeyError, TypeError) as error:
        message = "filters: each has a name, and a list of values"
        raise ProviderError(message) from error
    if args.get("state"):
        filters.append({"Name": "state", "Values": [args["state"]]})
    request = {"AllAvailabilityZones": bool(args.get("allAvailabilityZones")), "Filters": filters}
    told = provider.clients.call("ec2", region, "describe_availability_zones", request)
    unwanted = {*(args.get("excludeNames") or ()), *(args.get("excludeZoneIds") or ())}
    zones = [
        zone
        for zone in told["AvailabilityZones"]
        if zone["ZoneName"] not in unwanted and zone.get("ZoneId") not in unwanted
    ]
    zones.sort(key=lambda zone: str(zone["ZoneName"]))
    return {
        "id": region,
        "region": region,
        "names": [zone["ZoneName"] for zone in zones],
        "zoneIds": [zone.get("ZoneId", "") for zone in zones],
        "groupNames": sorted({zone.get("GroupName", region) for zone in zones}),
        **{key: args[key] for key in ("filters", "state", "excludeNames", "excludeZoneIds") if key in args},
    }


def _policy_document(_provider: AwsProvider, args: Arguments) -> dict[str, Any]:
    return policy_document(args)


def _of_service(
    function: Callable[[AwsProvider, str, Arguments], dict[str, Any]],
) -> Callable[[AwsProvider, Arguments], dict[str, Any]]:
    return lambda provider, args: function(provider, _region_of(provider, args), args)


_FUNCTIONS: dict[str, Callable[[AwsProvider, Arguments], dict[str, Any]]] = {
    "eks:getAddonVersion": _of_service(service_functions.addon_version),
    "eks:getCluster": _of_service(service_functions.cluster),
    "iam:getPolicyDocument": _policy_document,
    "index:getAvailabilityZones": _zones,
    "index:getCallerIdentity": _caller_identity,
    "index:getPartition": _partition,
    "index:getRegion": _region,
    "ssm:getParameter": _of_service(service_functions.parameter),
}
