"""Who executed what."""

from cloudcommerce_sandbox.executors import count_executors

OURS = {
    "moto": "5",
    "services": {"rds": {"added": ["CreateDBSubnetGroup"], "corrected": ["CreateDBInstance"]}},
}


def test_types_go_to_whoever_has_the_operation_that_makes_them() -> None:
    counts = count_executors(
        [
            "aws:rds/instance:Instance",
            "aws:kms/key:Key",
            "aws:kms/key:Key",
            "random:index/randomPassword:RandomPassword",
            "aws:nosuch/thing:Thing",
            "kubernetes:apps/v1:Deployment",
        ],
        OURS,
    )

    assert counts == {"ours": 1, "moto": 3, "cluster": 1, "plugin": 1}


def test_emulator_without_additions_leaves_all_to_moto() -> None:
    assert count_executors(["aws:rds/instance:Instance"], {}) == {"moto": 1}
