"""Noticing that the engine has been killed: a killed engine tells its plugins nothing."""

import os

_PARENT = os.getppid()


def is_orphan() -> bool:
    """Say whether the process that started this one is gone.

    What a plugin begins now, no state will ever know of: `operations recover` may have looked already.
    """
    return os.getppid() != _PARENT
