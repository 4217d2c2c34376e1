"""Which images a repository keeps. Pure functions."""

import json

# A tag that starts with this is a release; CI tags everything else it builds by commit.
RELEASE_TAG_PATTERN = "v*"


def lifecycle_policy(*, keep_releases: int, untagged_days: int, build_days: int) -> str:
    """The lifecycle policy document of an ECR repository.

    A rule never expires an image that a rule before it selects, so the last rule ("any" other tag) leaves the
    releases alone. https://docs.aws.amazon.com/AmazonECR/latest/userguide/LifecyclePolicies.html

    Args:
        keep_releases: How many releases stay, newest first.
        untagged_days: Days after which an image that lost its tag goes.
        build_days: Days after which a build that became no release goes.

    Returns:
        JSON.

    Raises:
        ValueError: a count below 1, which ECR refuses.
    """
    for what, count in (
        ("keep_releases", keep_releases),
        ("untagged_days", untagged_days),
        ("build_days", build_days),
    ):
        if count < 1:
            raise ValueError(f"{what} is {count}: ECR takes 1 or more")
    rules = [
        _rule(1, "Untagged images", {"tagStatus": "untagged"}, _older_than(untagged_days)),
        _rule(
            2,
            "Old releases",
            {"tagStatus": "tagged", "tagPatternList": [RELEASE_TAG_PATTERN]},
            {"countType": "imageCountMoreThan", "countNumber": keep_releases},
        ),
        _rule(3, "Old builds", {"tagStatus": "any"}, _older_than(build_days)),
    ]
    return json.dumps({"rules": rules})


def _older_than(days: int) -> dict[str, str | int]:
    return {"countType": "sinceImagePushed", "countUnit": "days", "countNumber": days}


def _rule(priority: int, description: str, selects: dict[str, object], limit: dict[str, str | int]) -> object:
    return {
        "rulePriority": priority,
        "description": description,
        "selection": selects | limit,
        "action": {"type": "expire"},
    }
