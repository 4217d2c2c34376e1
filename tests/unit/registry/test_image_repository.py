"""Repositories: scanned, immutable, encrypted, and tidy without losing a release."""

import fnmatch
import json
from collections.abc import Sequence
from typing import Any

import pytest

from components.registry.image_repository import ImageRepository, ImageRepositoryArgs
from components.registry.lifecycle import lifecycle_policy
from tests.unit.mock_engine import deploy

pytestmark = pytest.mark.mission_M27


def test_repository_is_scanned_immutable_and_encrypted() -> None:
    args = ImageRepositoryArgs(repository_name="cloudcommerce/order", key_arn="arn:key")
    repository = deploy(lambda: ImageRepository("order", args).repository_url).one("Repository")

    assert repository.inputs["name"] == "cloudcommerce/order"
    assert repository.inputs["imageTagMutability"] == "IMMUTABLE"
    assert repository.inputs["imageScanningConfiguration"] == {"scanOnPush": True}
    assert repository.inputs["encryptionConfigurations"] == [{"encryptionType": "KMS", "kmsKey": "arn:key"}]
    assert repository.inputs["forceDelete"] is False
    assert repository.protect


def expired(images: Sequence[tuple[str | None, int]], **limits: int) -> set[int]:
    """Which images (tag, age in days) would expire: each of ECR's rules claims what it selects."""
    claimed: set[int] = set()
    gone: set[int] = set()
    for rule in json.loads(lifecycle_policy(**limits))["rules"]:
        selection = rule["selection"]
        selected = sorted(
            (i for i, (tag, _) in enumerate(images) if i not in claimed and _selects(selection, tag)),
            key=lambda i: images[i][1],
        )
        claimed |= set(selected)
        if selection["countType"] == "imageCountMoreThan":
            gone |= set(selected[selection["countNumber"] :])
        else:
            gone |= {i for i in selected if images[i][1] > selection["countNumber"]}
    return gone


def _selects(selection: dict[str, Any], tag: str | None) -> bool:
    match selection["tagStatus"]:
        case "untagged":
            return tag is None
        case "tagged":
            return tag is not None and any(fnmatch.fnmatch(tag, p) for p in selection["tagPatternList"])
        case _:
            return True


def test_old_releases_outlive_old_builds() -> None:
    images = [("v1.0.0", 900), ("v1.1.0", 500), ("4f2c9e1", 100), ("9d3b7aa", 5), (None, 8), (None, 1)]

    assert expired(images, keep_releases=30, untagged_days=7, build_days=90) == {2, 4}


def test_only_the_newest_releases_are_kept() -> None:
    images: list[tuple[str | None, int]] = [(f"v1.{minor}.0", 100 - minor) for minor in range(5)]

    assert expired(images, keep_releases=2, untagged_days=7, build_days=90) == {0, 1, 2}


@pytest.mark.parametrize("wrong", ["keep_releases", "untagged_days", "build_days"])
def test_counts_below_one_are_refused(wrong: str) -> None:
    limits = {"keep_releases": 1, "untagged_days": 1, "build_days": 1} | {wrong: 0}

    with pytest.raises(ValueError, match=f"{wrong} is 0: ECR takes 1 or more"):
        lifecycle_policy(**limits)
