"""One parameter of a database's parameter group."""

from dataclasses import dataclass
from typing import Literal

ApplyMethod = Literal["immediate", "pending-reboot"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter and when it takes effect; what AWS calls static does at the next reboot only."""

    name: str
    value: str
    apply_method: ApplyMethod = "immediate"
