"""Failures of the bootstrap, each with the store, the object and the way out."""

from operations.errors import OperationError


class PlanError(OperationError):
    """The plan cannot be read or says something that must not be carried out."""


class StoreError(OperationError):
    """A store refused or did not answer.

    Attributes:
        store: Name of the store in the plan.
        subject: What in the store the failure is about, such as `role orders_runtime`.
        reason: What happened, free of secrets.
        remedy: What a person does next.
    """

    def __init__(self, store: str, subject: str, reason: str, remedy: str) -> None:
        super().__init__(f"{store}: {subject}: {reason}. {remedy}")
        self.store = store
        self.subject = subject
        self.reason = reason
        self.remedy = remedy


class StoreUnreachableError(StoreError):
    """The store did not answer in time; worth another try, unlike a refusal."""
