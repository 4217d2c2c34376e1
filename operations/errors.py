"""Errors that a person can act on."""


class OperationError(Exception):
    """A command cannot go on; the message says what was met and what to do next."""


class StateError(OperationError):
    """The stack's state is not what Pulumi writes: damaged, or of a version this program does not know."""


class StackLockedError(OperationError):
    """Another update holds the stack, or one that died held it."""
