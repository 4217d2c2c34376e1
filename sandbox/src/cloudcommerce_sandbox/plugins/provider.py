"""What a resource plugin of the sandbox has to be able to do, free of gRPC and protobuf."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Final, NoReturn

Tree = dict[str, Any]
"""Properties as `wire.decode` makes them: plain values with `Secret`, `UNKNOWN` and `Asset` inside."""


_URN_PARTS: Final = 4
_TOKEN_COLONS: Final = 2
"""https://www.pulumi.com/docs/iac/concepts/resources/names/#urns"""

DEFAULTS: Final = "__defaults"
"""Input that lists the properties that the program did not give, as the official plugins keep them."""


class ProviderError(Exception):
    """A failure whose text is meant for the person who runs Pulumi."""


class InitializationError(ProviderError):
    """The resource exists but could not be completed: the engine must remember it.

    Attributes:
        resource_id: Its id.
        state: Its outputs as far as known.
        inputs: Its inputs, on read only.
    """

    def __init__(self, reason: str, resource_id: str, state: Tree, inputs: Tree | None = None) -> None:
        super().__init__(reason)
        self.resource_id = resource_id
        self.state = state
        self.inputs = inputs


class Kind(Enum):
    """What happens to one property in an update."""

    ADD = "ADD"
    UPDATE = "UPDATE"
    DELETE = "DELETE"


@dataclass(frozen=True)
class Change:
    """One difference: what happens to the property and whether that replaces the resource."""

    kind: Kind
    replace: bool = False
    computed: bool = False


@dataclass(frozen=True)
class Difference:
    """All differences of a resource by property path, for example `ingress[0].fromPort`."""

    changes: dict[str, Change] = field(default_factory=dict)
    delete_before_replace: bool = False


@dataclass(frozen=True)
class Failure:
    """Why an input was refused: property path and reason."""

    path: str
    reason: str


@dataclass(frozen=True)
class Naming:
    """The engine's wishes for auto-naming: a proposed name, and `PROPOSE`, `ENFORCE` or `DISABLE`."""

    proposed: str = ""
    mode: str = "PROPOSE"


@dataclass(frozen=True, kw_only=True)
class Request:
    """What every operation on a resource tells.

    Attributes:
        urn: The resource's URN.
        id: Its id; empty in check and create.
        inputs: The wanted inputs (in read and delete: those in state).
        old_inputs: The inputs in state.
        state: The outputs in state.
        timeout: The user's customTimeouts in seconds; 0: none given.
        preview: Nothing may be changed.
        ignore_changes: Property paths the user told to leave alone.
        seed: Randomness that is the same for the preview and the update it belongs to.
        naming: Auto-naming wishes.
    """

    urn: str
    id: str = ""
    inputs: Tree = field(default_factory=dict)
    old_inputs: Tree = field(default_factory=dict)
    state: Tree = field(default_factory=dict)
    timeout: float = 0.0
    preview: bool = False
    ignore_changes: Sequence[str] = ()
    seed: bytes = b""
    naming: Naming = Naming()

    def __post_init__(self) -> None:
        """Refuse what is no URN.

        Raises:
            ProviderError: It lacks a part, or the type in it does.
        """
        parts = self.urn.split("::", 3)
        if len(parts) != _URN_PARTS or self.type.count(":") != _TOKEN_COLONS:
            message = f"{self.urn!r} is no URN; it has the form urn:pulumi:STACK::PROJECT::TYPE::NAME"
            raise ProviderError(message)

    @property
    def type(self) -> str:
        """Pulumi type token, for example `aws:ec2/vpc:Vpc`."""
        return self.urn.split("::")[2].rpartition("$")[2]

    @property
    def name(self) -> str:
        """The resource's logical name."""
        return self.urn.split("::", 3)[3]


class Provider(ABC):
    """A resource plugin. Every method may raise `ProviderError`; anything else is a defect of the plugin."""

    name: str
    version: str

    def check_config(self, inputs: Tree) -> list[Failure]:  # noqa: ARG002 - most take all
        """Return what is wrong with the provider's configuration."""
        return []

    def diff_config(self, old: Tree, new: Tree) -> Difference:
        """Compare configurations; by default no change replaces the resources: they notice it themselves."""
        return Difference(
            {key: Change(Kind.UPDATE) for key in {**old, **new} if old.get(key) != new.get(key)}
        )

    @abstractmethod
    def configure(self, config: Tree) -> None:
        """Take the configuration, once, before anything else but `check_config`."""

    @abstractmethod
    def check(self, request: Request) -> tuple[Tree, list[Failure]]:
        """Return the inputs completed with defaults, and what is wrong with them."""

    @abstractmethod
    def diff(self, request: Request) -> Difference:
        """Compare the wanted inputs with the state."""

    @abstractmethod
    def create(self, request: Request) -> tuple[str, Tree]:
        """Create the resource; return its id (empty in preview) and its outputs."""

    @abstractmethod
    def read(self, request: Request) -> tuple[str, Tree, Tree]:
        """Return id, inputs and outputs as they are now; an empty id when the resource is gone."""

    @abstractmethod
    def update(self, request: Request) -> Tree:
        """Change the resource in place; return its outputs."""

    @abstractmethod
    def delete(self, request: Request) -> None:
        """Remove the resource. That it is gone already is no failure."""

    def invoke(self, token: str, args: Tree) -> tuple[Tree, list[Failure]]:  # noqa: ARG002 - see the message
        """Run a function of the provider, for example `aws:index/getRegion:getRegion`."""
        message = f"{token} is not implemented by the sandbox's {self.name} plugin"
        raise ProviderError(message)

    def construct(self, token: str) -> NoReturn:
        """Refuse a component that the plugin itself would have to make."""
        message = f"{token} is not implemented by the sandbox's {self.name} plugin"
        raise ProviderError(message)

    @abstractmethod
    def cancel(self) -> None:
        """Make operations that wait give up soon."""
