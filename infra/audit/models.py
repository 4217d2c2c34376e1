"""The audit document, version 1.

A change that an old reader cannot take (a field gone, a meaning changed) raises the first number of the
version; a new fact or field raises the second.
"""

import json
from enum import StrEnum
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr
from pydantic.alias_generators import to_camel

SCHEMA_VERSION: Final = "1.0.0"


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", alias_generator=to_camel, populate_by_name=True)


class Comparison(StrEnum):
    """How a value is held against what is required of it."""

    EQUALS = "equals"
    AT_LEAST = "atLeast"
    AT_MOST = "atMost"
    ONE_OF = "oneOf"
    WITHIN = "within"
    PRESENT = "present"


Value = StrictBool | StrictInt | StrictStr | tuple[StrictStr, ...]
"""What a fact can be; of several strings the order means nothing."""


class Requirement(_Record):
    """What a value has to be.

    Attributes:
        comparison: How they are compared. `within` is for what a security group admits, `PROTOCOL PORTS
            SOURCE` or the source alone: each address range lies in one of the operand's, prefix lists
            are named in it, and other security groups need not be.
        operand: With what; absent for `present`, which asks for anything but nothing.
    """

    comparison: Comparison
    operand: Value | None = None


class Claim(_Record):
    """One fact about one resource, which the reader can look up in AWS.

    Attributes:
        fact: What is claimed, such as `rds.instance.storageEncrypted`.
        subject: Identifier under which AWS is asked: the one its API takes.
        value: The value, as the resource's outputs had it.
        requirement: What the value has to be.
        controls: Ids of the controls that it is evidence for.
    """

    fact: Annotated[str, Field(pattern=r"^[a-z0-9]+(\.[a-zA-Z0-9]+)+$")]
    subject: Annotated[str, Field(min_length=1)]
    value: Value
    requirement: Requirement
    controls: Annotated[tuple[str, ...], Field(min_length=1)]


class Identity(_Record):
    """A resource and how AWS calls it.

    Attributes:
        name: Logical name in the program.
        type: Pulumi's type.
        id: The provider's id.
        arn: The ARN, where it has one.
    """

    name: str
    type: str
    id: Annotated[str, Field(min_length=1)]
    arn: str | None = None


class DataClass(StrEnum):
    """Which of the platform's keys guards the data, and with it how sensitive they are."""

    CUSTOMER = "customer"
    COMMERCE = "commerce"
    SECRETS = "secrets"
    OPERATIONS = "operations"


class ComponentAudit(_Record):
    """One component of the stack.

    Attributes:
        name: Logical name in the program.
        type: Its type, such as `cloudcommerce:data:Postgres`.
        data_class: The most sensitive class of the keys that encrypt it; absent when it keeps no data.
        identifiers: Its audited resources.
        encryption: Claims on encryption at rest and in transit.
        exposure: Claims on who can reach it.
        backups: Claims on retention and recovery.
        availability: Claims on zones and failover.
        versions: Claims on supported versions.
        logging: Claims on records of what happens.
    """

    name: str
    type: str
    data_class: DataClass | None = None
    identifiers: tuple[Identity, ...]
    encryption: tuple[Claim, ...] = ()
    exposure: tuple[Claim, ...] = ()
    backups: tuple[Claim, ...] = ()
    availability: tuple[Claim, ...] = ()
    versions: tuple[Claim, ...] = ()
    logging: tuple[Claim, ...] = ()


class Control(_Record):
    """A control that claims are evidence for.

    Attributes:
        id: As claims name it.
        title: What it asks for.
        source: Where it is published.
    """

    id: str
    title: str
    source: str


class AuditDocument(_Record):
    """The stack's audit output.

    Attributes:
        schema_version: Version of this contract.
        project: Pulumi project.
        stack: Pulumi stack.
        region: AWS region.
        components: What stands.
        controls: The controls that claims name.
    """

    schema_version: Literal["1.0.0"] = SCHEMA_VERSION
    project: str
    stack: str
    region: str
    components: tuple[ComponentAudit, ...]
    controls: tuple[Control, ...]

    def plain(self) -> dict[str, Any]:
        """Return the document as JSON values."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def schema_text() -> str:
    """Return the JSON Schema of the document."""
    schema = AuditDocument.model_json_schema(by_alias=True, mode="validation")
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
    return json.dumps(schema, indent=2, sort_keys=True) + "\n"
