"""Default tags: complete by type, and refused here rather than by the first AWS call."""

from typing import get_type_hints

import pytest

from components.tags import DataClass, Ownership, default_tags

OWNERSHIP = Ownership(
    project="cloudcommerce",
    environment="prod",
    owner="platform@example.com",
    cost_center="CC-1001",
    data_class=DataClass.CONFIDENTIAL,
)


def test_every_field_of_ownership_becomes_a_tag() -> None:
    tags = default_tags(OWNERSHIP, {"Team": "checkout"})

    assert set(tags) == {"Project", "Environment", "Owner", "CostCenter", "DataClass", "ManagedBy", "Team"}
    assert len(tags) == len(get_type_hints(Ownership)) + 2
    assert tags["DataClass"] == "confidential"


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"Owner": "me"}, "'Owner' redefines a mandatory tag"),
        ({"owner": "me"}, "'owner' redefines a mandatory tag"),
        ({"Name": "x"}, "'Name' redefines"),
        ({"aws:team": "x"}, "starts with 'aws:'"),
        ({"": "x"}, "tag key '' has 0 characters"),
        ({"k" * 129: "x"}, "has 129 characters: AWS takes 1 to 128"),
        ({"Team": "x" * 257}, "Team has 257 characters"),
        ({"Team": ""}, "Team has 0 characters"),
        ({"Team": "a;b"}, "Team='a;b': AWS takes letters"),
        ({f"k{i}": "x" for i in range(50)}, "56 default tags: at most 40"),
    ],
)
def test_refuses_what_aws_would_refuse(extra: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        default_tags(OWNERSHIP, extra)
