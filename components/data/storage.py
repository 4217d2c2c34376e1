"""How far RDS may grow a volume."""


def least_limit(allocated: int) -> int:
    """The least limit of storage autoscaling: a tenth more than what is allocated.

    https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html

    Args:
        allocated: First size of the volume in GiB.

    Returns:
        GiB, rounded up.
    """
    return -(-allocated * 11 // 10)
