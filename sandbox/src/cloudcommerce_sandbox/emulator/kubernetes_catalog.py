"""What EKS offers: Kubernetes versions, add-ons and access policies, from a dated data file.

As with `catalog`, what the file does not know is refused only where it cannot have come since.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache
from importlib.resources import files
from typing import Any

POLICY_ARN_PREFIX = "arn:aws:eks::aws:cluster-access-policy/"
_ANY_VERSION = "*"
_VERSION = re.compile(r"v\d+\.\d+\.\d+-eksbuild\.\d+")


@dataclass(frozen=True)
class KubernetesVersion:
    """A Kubernetes version that EKS offers.

    Attributes:
        version: minor version, such as `1.35`.
        patch: upstream patch that its control planes run.
        ami: a release of its optimized AMIs.
        platform: newest platform version, such as `eks.16`.
        is_default: whether a cluster gets it when none is asked for.
        released: when EKS began to offer it.
        standard: last day of standard support.
        extended: last day of extended support.
    """

    version: str
    patch: str
    ami: str
    platform: str
    is_default: bool
    released: date
    standard: date
    extended: date

    def support(self, today: date) -> str:
        """Returns the API's word for the support it has: STANDARD_SUPPORT, EXTENDED_SUPPORT, UNSUPPORTED."""
        if today <= self.standard:
            return "STANDARD_SUPPORT"
        return "EXTENDED_SUPPORT" if today <= self.extended else "UNSUPPORTED"


@dataclass(frozen=True)
class AddonKind:
    """An add-on that EKS offers.

    Attributes:
        name: name in the API.
        type: what it is for, such as `networking`.
        namespace: where it runs.
        owner: `aws` or `community`.
        service_accounts: managed policies that AWS recommends, by service account.
    """

    name: str
    type: str
    namespace: str
    owner: str
    service_accounts: dict[str, list[str]]

    def versions(self, kubernetes: str) -> list[str]:
        """Returns the versions for a Kubernetes version, oldest first; none where it does not run."""
        found: list[str] = self._for(kubernetes, "versions", [])
        return list(found)

    def default(self, kubernetes: str) -> str:
        """Returns the version that is installed when none is asked for; empty where it does not run."""
        return str(self._for(kubernetes, "default", ""))

    def is_compatible(self, version: str, kubernetes: str) -> bool:
        """Whether a version runs on a Kubernetes version: a listed one, or one that may have come since.

        Where the add-on has versions of its own for each Kubernetes version, those stay in their lines.
        """
        known, wanted = self.versions(kubernetes), build_order(version)
        if not known or not _VERSION.fullmatch(version):
            return version in known
        for_all = _ANY_VERSION in _document()["addons"][self.name]["versions"]
        line = [order for order in map(build_order, known) if for_all or order[:2] == wanted[:2]]
        return bool(line) and wanted >= min(line)

    def _for(self, kubernetes: str, what: str, otherwise: Any) -> Any:
        by_version = _document()["addons"][self.name][what]
        if kubernetes not in _document()["versions"]:
            return otherwise
        return by_version.get(kubernetes, by_version.get(_ANY_VERSION, otherwise))


@cache
def _document() -> dict[str, Any]:
    text = files("cloudcommerce_sandbox.emulator").joinpath("data", "kubernetes.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def source(kind: str) -> str:
    """Returns the page and the date of `versions`, `addons` or `policies`, for messages."""
    return f"{_document()['sources'][kind]} as of {_document()['date']}"


@cache
def versions() -> dict[str, KubernetesVersion]:
    """Returns the offered versions by name, oldest first."""
    return {
        name: KubernetesVersion(
            version=name,
            patch=entry["patch"],
            ami=entry["ami"],
            platform=entry["platform"],
            is_default=bool(entry.get("default")),
            released=date.fromisoformat(entry["released"]),
            standard=date.fromisoformat(entry["standard"]),
            extended=date.fromisoformat(entry["extended"]),
        )
        for name, entry in _document()["versions"].items()
    }


def default_version() -> KubernetesVersion:
    """Returns the version of a cluster that asks for none."""
    return next(version for version in versions().values() if version.is_default)


def minor(version: str) -> int:
    """Returns the minor of `1.35` as a number; -1 where there is none."""
    found = re.fullmatch(r"1\.(\d+)", version)
    return int(found[1]) if found else -1


@cache
def addons() -> dict[str, AddonKind]:
    """Returns the offered add-ons by name."""
    return {
        name: AddonKind(
            name, entry["type"], entry["namespace"], entry.get("owner", "aws"), dict(entry["serviceAccounts"])
        )
        for name, entry in _document()["addons"].items()
    }


def build_order(version: str) -> tuple[int, ...]:
    """Returns what orders the versions of an add-on: `v1.21.1-eksbuild.8` is (1, 21, 1, 8)."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def policies() -> dict[str, str]:
    """Returns the ARNs of the predefined access policies by name."""
    known = _document()["policies"]
    return {name: f"{POLICY_ARN_PREFIX}{name}" for name in sorted(known["assignable"] + known["service"])}


def is_service_policy(arn: str) -> bool:
    """Whether an access policy is for AWS's own roles only."""
    return arn.removeprefix(POLICY_ARN_PREFIX) in _document()["policies"]["service"]


def midnight(day: date) -> datetime:
    """Returns the beginning of a day in UTC, as the API gives dates."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
