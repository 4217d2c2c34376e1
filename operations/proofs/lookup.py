"""How a fact is looked up in AWS, and the words of claims.

A lookup names one API call, what it is asked and where the value stands in the answer; the answer's words
are turned into the words of the claims, nothing more. Judging is not done here.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import botocore.exceptions
import jmespath

from operations.clients import Clients, error_code


def same(value: Any) -> Any:
    """Return a value as it is."""
    return value


def text(value: Any) -> str:
    """Return a value as text, empty when there is none."""
    return str(value or "")


def count(value: Any) -> int:
    """Return a value as a whole number, 0 when there is none."""
    return int(value or 0)


def major(value: Any) -> str:
    """Return the first part of a version."""
    return str(value or "").split(".", maxsplit=1)[0]


def minor(value: Any) -> str:
    """Return the first two parts of a version."""
    return ".".join(str(value or "").split(".")[:2])


def strings(value: Any) -> list[str]:
    """Return the texts of a list in order."""
    return sorted(str(each) for each in value or () if each)


@dataclass(frozen=True)
class Lookup:
    """How a fact is looked up.

    Attributes:
        service: boto3 service.
        operation: boto3 method.
        parameter: Its parameter that takes the subject; ends in `[]` when it takes a list.
        path: JMESPath of the value in the answer; `$subject` in it is what is asked about.
        shape: Turns the value into the claims' words.
        request: Further arguments.
        many: Whether all pages are read, and their values joined, before shaping.
        subject_of: Looks up what to ask about, where AWS keeps the value at a part of the thing.
        scope: Further parameter that takes what stands before the first colon of the subject, such as the
            cluster of a node group.
        absent: Error code with which AWS says that the thing has no such value; empty when it never does.
    """

    service: str
    operation: str
    parameter: str
    path: str
    shape: Callable[[Any], Any] = same
    request: Mapping[str, Any] = field(default_factory=dict)
    many: bool = False
    subject_of: "Lookup | None" = None
    scope: str = ""
    absent: str = ""

    @property
    def call(self) -> str:
        """The call as a person writes it."""
        return f"{self.service}.{self.operation}"

    def look(self, clients: Clients, subject: str) -> Any:
        """Ask AWS.

        Args:
            clients: Clients of the stack's region.
            subject: What is asked about.

        Returns:
            The value as a claim would state it; None when AWS knows the thing but not this of it.

        Raises:
            botocore.exceptions.ClientError: AWS refuses, or there is no such thing.
        """
        client = clients.get(self.service)
        if self.subject_of:
            subject = str(self.subject_of.look(clients, subject))
        request = dict(self.request)
        if self.scope:
            request[self.scope], _, subject = subject.partition(":")
        path = self.path.replace("$subject", subject)
        name = self.parameter.removesuffix("[]")
        request[name] = [subject] if self.parameter.endswith("[]") else subject
        if self.many:
            pages = client.get_paginator(self.operation).paginate(**request)
            found: Any = [each for page in pages for each in jmespath.search(path, page) or ()]
        else:
            found = jmespath.search(path, self._answer(client, request))
        return self.shape(found)

    def _answer(self, client: Any, request: Mapping[str, Any]) -> Any:
        try:
            return getattr(client, self.operation)(**request)
        except botocore.exceptions.ClientError as error:
            if error_code(error) == self.absent:
                return {}
            raise
