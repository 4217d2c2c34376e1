"""A resource as the engine drives it, without the engine."""

from dataclasses import dataclass, field
from typing import Any

from cloudcommerce_sandbox.plugins.kubernetes.engine import Engine
from cloudcommerce_sandbox.plugins.kubernetes.provider import KubernetesProvider
from cloudcommerce_sandbox.plugins.provider import Difference, InitializationError, Request, Tree

SEED = b"a seed of the engine"


class Messages(Engine):
    """Keeps what the engine would show."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[str] = []

    def _send(self, _severity: Any, _urn: str, message: str, *, ephemeral: bool = False) -> None:
        del ephemeral
        self.shown.append(message)

    def __contains__(self, text: str) -> bool:
        return any(text in message for message in self.shown)


@dataclass
class Resource:
    """One resource and its state."""

    provider: KubernetesProvider
    token: str
    name: str = "thing"
    id: str = ""
    inputs: Tree = field(default_factory=dict)
    state: Tree = field(default_factory=dict)

    def request(self, **more: Any) -> Request:
        urn = f"urn:pulumi:test::shop::{self.token}::{self.name}"
        return Request(urn=urn, **more)

    def check(self, program: Tree, *, fresh: bool = False) -> Tree:
        old = {} if fresh else self.inputs
        inputs, failures = self.provider.check(self.request(inputs=program, old_inputs=old, seed=SEED))
        assert not failures, failures
        return inputs

    def diff(self, program: Tree, **more: Any) -> Difference:
        return self.provider.diff(
            self.request(
                id=self.id, inputs=self.check(program), old_inputs=self.inputs, state=self.state, **more
            )
        )

    def preview(self, program: Tree, **more: Any) -> Tree:
        inputs = self.check(program)
        if not self.id:
            return self.provider.create(self.request(inputs=inputs, preview=True, **more))[1]
        return self.provider.update(self._change(inputs, preview=True, **more))

    def up(self, program: Tree, **more: Any) -> Tree:
        """Create, or update in place."""
        inputs = self.check(program)
        try:
            if not self.id:
                self.id, self.state = self.provider.create(self.request(inputs=inputs, **more))
            else:
                self.state = self.provider.update(self._change(inputs, **more))
        except InitializationError as error:
            self.id, self.state, self.inputs = error.resource_id, error.state, inputs
            raise
        self.inputs = inputs
        return self.state

    def refresh(self) -> bool:
        """Return whether it is still there."""
        asked = self.request(id=self.id, inputs=self.inputs, old_inputs=self.inputs, state=self.state)
        found = self.provider.read(asked)
        if found[0]:
            self.id, self.inputs, self.state = found
        return bool(found[0])

    def adopt(self, id_: str) -> None:
        """Import."""
        self.id, self.inputs, self.state = self.provider.read(self.request(id=id_))

    def destroy(self, **more: Any) -> None:
        self.provider.delete(
            self.request(id=self.id, inputs=self.inputs, old_inputs=self.inputs, state=self.state, **more)
        )
        self.id, self.inputs, self.state = "", {}, {}

    def _change(self, inputs: Tree, **more: Any) -> Request:
        return self.request(id=self.id, inputs=inputs, old_inputs=self.inputs, state=self.state, **more)
