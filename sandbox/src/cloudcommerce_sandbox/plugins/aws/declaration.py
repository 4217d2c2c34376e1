"""The language in which resource types are declared.

HOWTO: declare a type
---------------------
Put a `ResourceType` into the tuple `TYPES` of `types/<service>.py` (the service of the Pulumi token:
`aws:kms/key:Key` lives in `types/kms.py`, `aws:lambda/function:Function` in `types/lambda_.py`; a service
whose file would grow beyond some 300 lines becomes a package `types/<service>/` whose `__init__` joins the
tuples). Nothing else has to be registered. Look at `types/kms.py`, `types/iam.py` and `types/ec2/vpc.py`.

What the machinery does by itself, so that only exceptions are declared:

*Names.* A property and a request (or response) member match when they are equal after case, underscores and
a plural ending are taken away: `subnetIds` = `SubnetIds` = `SubnetId`, recursively through nested blocks by
the shapes of the operation. Everything else is a `Field`: `"name": Field("RoleName")`, nested
`"outpostConfig.arn": Field("OutpostArn")` (paths are dotted, lists in the path are not written).
`Field("VpcConfig.SubnetIds")` goes deeper, `Field("")` on a block dissolves it: its members are siblings of
the block. A block given once (Pulumi flattens lists of one) fits a list member and the other way round. A
scalar fits a structure whose only member is `Value` (`modify_vpc_attribute`).

*What is sent.* The first step of `create` sends every property that its operation has a member for, the
later ones only when a property in their `on` is given (empty `on`: always), and then these. A step of
`update` runs when a property in `on` differs (empty `on`: any property its operation has a member for) and
sends those that differ and the members that the operation requires; `full=True` sends every given property
that it has a member for (put-like operations). `delete` and `read` send required members and `set` only.
`set` always wins: `set={"VpcId": "{id}", "Force": True}`, templates over properties (JMESPath inside
braces), `{id}`, `{region}`, `{account}`, `{partition}`. A template that is one pair of braces keeps the
value's type, is wrapped in a list where the shape wants one, and is left out when the property is absent. A
`set` key may be a dotted path, its value a function of the context.

*What is read.* After the create steps, computed outputs come from the part of the create response that the
first step's `item` selects when there is no `created` wait; else from one `read`. `Read.item` is a JMESPath
into the response, templates allowed. A property is taken from the member that matches;
`Field(read="JMESPath")` says otherwise. A member that is absent in the response leaves the property as it
was (`Field(absent=…)`: what absence means). Not-found errors (`…NotFound…`, `NoSuch…`) and a None item mean
that the thing is gone; name other codes in `Read.missing`.

*Removing a property.* It goes back to `Field(default=…)` (`default=None`: there is nothing to send, the
difference is shown); lists and maps go back to empty unless they are `kept`; anything else stays as AWS has
it and no difference is shown (Terraform's "optional and computed"). A property whose value equals its default
is the same as one not given.

*Replacement.* `force_new` names properties, nested ones by dotted path; `EVERYTHING` = all but tags and
`local`; `force_new_if` those whose change replaces only sometimes.

*Local properties* (`local=("skipFinalSnapshot",)`) are kept in state, never sent by name matching; use them
in `set` or `when`.

*Unsupported properties* are refused in preview with the reason: `unsupported={"xksKeyId": "external key
stores"}`. Every property of the SDK's Args class must be mapped, local or unsupported, every output mapped,
given by `outputs` (templates) or named in `no_output`; a test goes through all types.

*Tags, default tags, `tagsAll`, `region`, auto-naming, secrets, unknowns, waiting, retries* are the
machinery's. Anything that does not fit is a plain function in the type's file: `Run(function)` in place of
a `Call`, `Read(function=…)`, `Convert(send=…, read=…)`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass, field
from typing import Any, Final, Literal

from cloudcommerce_sandbox.plugins.aws.context import Context, Properties
from cloudcommerce_sandbox.plugins.aws.conversions import Convert

UNSET: Final = object()
"""Marks a field option that was not given, where None is a value."""

EVERYTHING: Final[tuple[str, ...]] = ("*",)
"""As `force_new`: every property except tags and local ones."""


@dataclass(frozen=True)
class Field:
    """The exceptions of one property from the automatic mapping.

    Attributes:
        member: Path in the request relative to the parent's structure; None: found by name; "": the block
            dissolves.
        read: JMESPath in the response relative to the parent's structure; None: as `member`.
        convert: Translation and equality of the value.
        default: What AWS does when the property is not given; removal resets to it, import and diff ignore
            it.
        absent: What a response without the member means; unset: nothing, the property stays as it was.
        write_only: AWS never returns it (passwords): refresh keeps what the program gave.
        computed: AWS alone sets this member of a top-level block: refused as an input, told in the outputs.
        secret: Outputs are marked secret even if the input was not.
    """

    member: str | None = None
    _: KW_ONLY
    read: str | None = None
    convert: Convert | None = None
    default: Any = UNSET
    absent: Any = UNSET
    write_only: bool = False
    computed: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Wait:
    """Reading the resource until it has settled.

    Attributes:
        status: JMESPath in the read item.
        until: Values that end the wait. For `deleted` waits a missing resource ends it as well.
        failed: Values that can't become good any more; the wait ends with an error.
        timeout: Seconds; the resource's customTimeouts win.
        reasons: JMESPath in the read item of texts that tell why it has not settled.
    """

    status: str
    _: KW_ONLY
    until: tuple[Any, ...]
    failed: tuple[Any, ...] = ()
    timeout: float = 1200.0
    reasons: str = ""


@dataclass(frozen=True)
class Call:
    """One AWS operation as a step of create, update or delete.

    Attributes:
        operation: botocore client method, for example `create_vpc`.
        set: Request members given by template or function (see the HOWTO); wins over name matching.
        item: For the creating call: JMESPath of the resource in the response, in the shape of the read
            item.
        on: Properties that trigger and feed this step. Empty: all that the operation has members for.
        props: Further properties to send when the step runs.
        omit: Properties never sent by this step under their names; those in `on` too are sent by a function
            in `set`.
        names: Request paths that hold for this call only: property to dotted path.
        root: Request member under which the properties go, for example `VpcConfig`.
        full: On update send every given property, not just those that differ.
        when: Extra condition.
        service: botocore service when it is not the type's.
        region: Template of the region when it is not the resource's.
        retry: Further error codes to retry for a while (`Code` or `Code: part of the message`), for example
            while a role is not yet known.
        ignore: Error codes that mean the step is already done.
        wait: Settling to wait for after this step, before the next one.
    """

    operation: str
    _: KW_ONLY
    set: Mapping[str, Any] = field(default_factory=dict)
    item: str = ""
    on: tuple[str, ...] = ()
    props: tuple[str, ...] = ()
    omit: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    root: str = ""
    full: bool = False
    when: Callable[[Context], bool] | None = None
    service: str = ""
    region: str = ""
    retry: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    wait: Wait | None = None


@dataclass(frozen=True)
class Run:
    """A function as a step: the escape hatch for genuine exceptions.

    Attributes:
        function: Called with the context; what a creating function returns is the response that
            `Id.response` and `item` look into.
        on: Properties that trigger it and that it takes care of; the first step of create runs in any case
            and names there what it sends. Empty: always on create; on update whenever something differs.
        item: For the creating step, as in `Call`.
        when: Extra condition.
        wait: Settling to wait for after this step.
    """

    function: Callable[[Context], Mapping[str, Any] | None]
    _: KW_ONLY
    on: tuple[str, ...] = ()
    item: str = ""
    when: Callable[[Context], bool] | None = None
    wait: Wait | None = None


Step = Call | Run


@dataclass(frozen=True)
class Fetch:
    """A further read call whose answer is put into the read item, on refresh and import only unless `always`.

    Attributes:
        operation: botocore client method.
        set: Request members by template; the item's outputs read so far can be used.
        item: JMESPath in the response.
        into: Member of the read item that gets the value; "": the value's members are merged into the item.
        service: botocore service when it is not the type's.
        missing: Error codes that mean there is no such part: nothing is put into the item.
        always: Needed for outputs after create as well.
    """

    operation: str
    _: KW_ONLY
    set: Mapping[str, Any] = field(default_factory=dict)
    item: str
    into: str = ""
    service: str = ""
    missing: tuple[str, ...] = ()
    always: bool = False


@dataclass(frozen=True)
class Read:
    """How the resource is found.

    Attributes:
        operation: botocore client method; paginated operations are read to the end.
        set: Request members by template, usually from `{id}`.
        item: JMESPath of the resource in the response, templates allowed; None there: the resource is gone.
        missing: Error codes that mean gone, besides the usual not-found ones.
        gone: JMESPath on the item to the values that mean gone, for example `("State", "deleted")`.
        also: Further calls whose answers complete the item.
        service: botocore service when it is not the type's.
        function: In place of all that: returns the item or None.
    """

    operation: str = ""
    _: KW_ONLY
    set: Mapping[str, Any] = field(default_factory=dict)
    item: str = "@"
    missing: tuple[str, ...] = ()
    gone: tuple[str, *tuple[str, ...]] | tuple[()] = ()
    also: tuple[Fetch, ...] = ()
    service: str = ""
    function: Callable[[Context], Mapping[str, Any] | None] | None = None


@dataclass(frozen=True, kw_only=True)
class Id:
    """Where the resource's id comes from.

    Attributes:
        response: JMESPath in the create response.
        template: Template over properties, for example `{routeTableId}_{destinationCidrBlock}`; used when
            there is no `response`. On import it is parsed back into these properties.
        parse: Import id to properties when the template can't be parsed back.
        function: The id made by code.
    """

    response: str = ""
    template: str = ""
    parse: Callable[[str], Properties] | None = None
    function: Callable[[Context], str] | None = None


@dataclass(frozen=True)
class Name:
    """Auto-naming: a property that gets `<logical name>-<7 hex digits>` when the program gives none.

    Attributes:
        property: Pulumi property, usually `name`.
        prefix: Property that gives the name's beginning, usually `namePrefix`; "": there is none.
        max_length: Limit of the API; the logical name is cut, never the random end.
        lower: The API wants lower case.
        allowed: Characters the API takes, as a regular expression class; others become `-`.
        start: Fixed beginning that the API wants, for example `alias/`.
        suffix: Fixed ending that the API wants, for example `.fifo`.
    """

    property: str = "name"
    _: KW_ONLY
    prefix: str = ""
    max_length: int = 255
    lower: bool = False
    allowed: str = "a-zA-Z0-9._-"
    start: str = ""
    suffix: str = ""


@dataclass(frozen=True, kw_only=True)
class TagStyle:
    """How a service takes and returns tags. Use the presets of `tagging.py`; they cover most services.

    Attributes:
        member: Member of the create request; "": the create call takes no tags, they are put afterwards.
        shape: `map`, or the two member names of a list's items, for example `("Key", "Value")`.
        read: JMESPath of the tags in the read item; "": they are not part of it and `list` is called.
        list: Call that lists the tags, with `item` as JMESPath.
        tag: Operation that adds tags; the tags go into its member `tag_member`.
        untag: Operation that removes tags; the keys go into `untag_member`.
        target: Request members, by template, that say which resource is meant, for example `{"ResourceArn":
            "{arn}"}`.
        tag_member: As said.
        untag_member: As said; None: the operation takes the tags in the shape of `tag_member`.
        specification: EC2: ResourceType in TagSpecifications of the create call.
        service: botocore service of these operations when it is not the type's.
    """

    member: str = "Tags"
    shape: tuple[str, str] | Literal["map"] = ("Key", "Value")
    read: str = "Tags"
    list: Fetch | None = None
    tag: str = "tag_resource"
    untag: str = "untag_resource"
    target: Mapping[str, Any] = field(default_factory=dict)
    tag_member: str = "Tags"
    untag_member: str | None = "TagKeys"
    specification: str = ""
    service: str = ""


CheckFunction = Callable[[Properties], list[tuple[str, str]]]
"""Looks at the inputs (those not yet known are `context.UNKNOWN`) and returns (property path, reason) per
failure."""


@dataclass(frozen=True, kw_only=True)
class ResourceType:
    """One Pulumi resource type.

    Attributes:
        pulumi_type: Pulumi type token, for example `aws:ec2/vpc:Vpc`.
        service: botocore service name.
        docs: URL of the page the force-new properties, ids and defaults come from.
        id: Where the id comes from.
        create: First the step that makes the thing, then those that complete it. Where several could make
            it (from nothing, from a backup), the first whose `when` holds does.
        read: How it is found; None: it can't be read and lives in state only (attachments of pure
            bookkeeping).
        update: Steps that change it in place, in order.
        delete: Steps that remove it, in order; empty: nothing is removed (adopted resources).
        name: Auto-naming, if the type has it.
        tags: The service's way with tags; None: the type has no tags.
        fields: Exceptions by property path. Computed outputs can be fields too.
        force_new: Properties whose change replaces the resource.
        force_new_if: Top-level property to whether its change replaces, told from the properties before
            (inputs over outputs) and the inputs now.
        kept: Lists, maps and blocks that stay as AWS has them when the program stops giving them.
        outputs: Computed outputs by template or constant, for example `arn`.
        no_output: Computed outputs of the SDK that nothing here can give: they stay empty.
        local: Properties kept in state only.
        unsupported: Property path to what the sandbox does not implement.
        created: Settling after create.
        updated: Settling after update.
        deleted: Settling after delete; None: delete is trusted at once.
        check: Rules between properties that the SDK's types can't say; see `checks.py`.
        delete_before_replace: The new one can't stand beside the old one.
        delete_retry: Further error codes of delete that pass with time.
        prepare: Changes the inputs in check before anything else (defaults that depend on other
            properties).
    """

    pulumi_type: str
    service: str
    docs: str
    id: Id
    create: tuple[Step, *tuple[Step, ...]]
    read: Read | None
    update: tuple[Step, ...] = ()
    delete: tuple[Step, ...]
    name: Name | None = None
    tags: TagStyle | None = None
    fields: Mapping[str, Field] = field(default_factory=dict)
    force_new: tuple[str, ...] = ()
    force_new_if: Mapping[str, Callable[[Properties, Properties], bool]] = field(default_factory=dict)
    kept: tuple[str, ...] = ()
    outputs: Mapping[str, Any] = field(default_factory=dict)
    no_output: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    unsupported: Mapping[str, str] = field(default_factory=dict)
    created: Wait | None = None
    updated: Wait | None = None
    deleted: Wait | None = None
    check: tuple[CheckFunction, ...] = ()
    delete_before_replace: bool = False
    delete_retry: tuple[str, ...] = ()
    prepare: Callable[[Properties], Properties] | None = None
