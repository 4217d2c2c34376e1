"""One parameter of a database's parameter group."""

from dataclasses import dataclass
from typing import Literal

ApplyMethod = Literal["immediate", "pending-reboot"]


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter and when it takes effect.

    What AWS calls static takes effect at a reboot only. A value that equals the engine's default must be
    given so, too: AWS does not register a change of the method alone, and every later `up` would try again.
    https://github.com/hashicorp/terraform-provider-aws/issues/36419
    """

    name: str
    value: str
    apply_method: ApplyMethod = "immediate"
