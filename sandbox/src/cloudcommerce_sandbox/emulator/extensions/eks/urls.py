"""URLs of EKS."""

from __future__ import annotations

from moto.eks import urls

from cloudcommerce_sandbox.emulator.extensions.eks.responses import EKSResponse

_CLUSTER = "{0}/clusters/(?P<name>[^/]+)"
_ENTRY = f"{_CLUSTER}/access-entries/(?P<principalArn>arn.+?)"

url_bases = urls.url_bases

# An access entry is named by an ARN, which has slashes: the longer paths come first.
url_paths = {
    f"{_ENTRY}/access-policies/(?P<policyArn>.+)$": EKSResponse.dispatch,
    f"{_ENTRY}/access-policies$": EKSResponse.dispatch,
    f"{_ENTRY}$": EKSResponse.dispatch,
    f"{_CLUSTER}/access-entries$": EKSResponse.dispatch,
    **dict.fromkeys(urls.url_paths, EKSResponse.dispatch),
    f"{_CLUSTER}/updates$": EKSResponse.dispatch,
    f"{_CLUSTER}/updates/(?P<updateId>[^/]+)$": EKSResponse.dispatch,
    f"{_CLUSTER}/encryption-config/associate$": EKSResponse.dispatch,
    f"{_CLUSTER}/node-groups/(?P<nodegroupName>[^/]+)/update-version$": EKSResponse.dispatch,
    f"{_CLUSTER}/addons$": EKSResponse.dispatch,
    f"{_CLUSTER}/addons/(?P<addonName>[^/]+)$": EKSResponse.dispatch,
    f"{_CLUSTER}/addons/(?P<addonName>[^/]+)/update$": EKSResponse.dispatch,
    f"{_CLUSTER}/pod-identity-associations$": EKSResponse.dispatch,
    f"{_CLUSTER}/pod-identity-associations/(?P<associationId>[^/]+)$": EKSResponse.dispatch,
    "{0}/cluster-versions$": EKSResponse.dispatch,
    "{0}/addons/supported-versions$": EKSResponse.dispatch,
    "{0}/addons/configuration-schemas$": EKSResponse.dispatch,
    "{0}/access-policies$": EKSResponse.dispatch,
}
