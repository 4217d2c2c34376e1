"""What the emulator's control API says of clusters, and the contract of the follower with its controllers.

Everything here is plain and frozen. A document that says something else than it should is refused with the
place and the value, so that no controller meets half a cluster.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Protocol

from cloudcommerce_sandbox.kubernetes.parsing import parse

if TYPE_CHECKING:  # its libraries take half a second, which each command of the sandbox would pay
    from cloudcommerce_sandbox.kubernetes.api import ClusterApi

TaintEffect = Literal["NO_SCHEDULE", "NO_EXECUTE", "PREFER_NO_SCHEDULE"]


@dataclass(frozen=True, kw_only=True)
class Taint:
    """A taint of a node group or a node, in EKS's words.

    Attributes:
        key: Its key.
        value: Its value; may be empty.
        effect: What it does, as EKS spells it.
    """

    key: str
    value: str = ""
    effect: TaintEffect


@dataclass(frozen=True, kw_only=True)
class InstanceSpec:
    """A running EC2 instance of a node group.

    Attributes:
        id: Its instance id.
        type: Its instance type, such as `t3.medium`.
        vcpus: How many.
        memory_mib: Its memory.
        architecture: `x86_64` or `arm64`.
        zone: Its availability zone.
        zone_id: The zone's id, such as `use1-az1`.
        subnet_id: Its subnet.
        private_ip: Its address.
        private_dns_name: Its name, which is the node's too.
    """

    id: str
    type: str
    vcpus: int
    memory_mib: int = field(metadata={"key": "memoryMiB"})
    architecture: str = "x86_64"
    zone: str
    zone_id: str = ""
    subnet_id: str = ""
    private_ip: str
    private_dns_name: str


@dataclass(frozen=True, kw_only=True)
class NodegroupSpec:
    """A managed node group.

    Attributes:
        name: Its name.
        status: As EKS says.
        version: Its Kubernetes version, such as `1.35`.
        ami_type: Such as `AL2023_x86_64_STANDARD`.
        capacity_type: `ON_DEMAND` or `SPOT`.
        labels: For its nodes.
        taints: For its nodes.
        max_pods: The kubelet's `maxPods` from the launch template's user data; None leaves it to the image.
        reserved_memory_mib: What the user data has the kubelet reserve; None leaves it to the image.
        root_volume_gib: The root volume's size.
        instances: Those that run.
    """

    name: str
    status: str
    version: str
    ami_type: str = "AL2023_x86_64_STANDARD"
    capacity_type: str = "ON_DEMAND"
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    max_pods: int | None = None
    reserved_memory_mib: int | None = field(default=None, metadata={"key": "reservedMemoryMiB"})
    root_volume_gib: int = field(default=20, metadata={"key": "rootVolumeGiB"})
    instances: tuple[InstanceSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AccessPolicy:
    """An EKS access policy that is associated with an access entry.

    Attributes:
        name: Such as `AmazonEKSViewPolicy`.
        namespaces: Where it holds; empty for the whole cluster.
    """

    name: str
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AccessEntry:
    """Who of IAM may enter a cluster, and as whom.

    Attributes:
        principal_arn: The role or user.
        username: Its name in the cluster.
        groups: Its groups in the cluster.
        type: Such as `STANDARD` or `EC2_LINUX`.
        policies: The access policies associated with it.
    """

    principal_arn: str
    username: str = ""
    groups: tuple[str, ...] = ()
    type: str = "STANDARD"
    policies: tuple[AccessPolicy, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AddonSpec:
    """An EKS add-on.

    Attributes:
        name: Such as `vpc-cni`.
        version: Such as `v1.21.1-eksbuild.1`.
        status: As EKS says.
        configuration: Its configuration values.
        service_account_role_arn: The role of its service account; empty without.
    """

    name: str
    version: str
    status: str
    configuration: Mapping[str, Any] = field(default_factory=dict)
    service_account_role_arn: str = ""


@dataclass(frozen=True, kw_only=True)
class PodIdentityAssociation:
    """Which role the pods of a service account have.

    Attributes:
        id: The association's id.
        namespace: The service account's namespace.
        service_account: Its name.
        role_arn: The role.
    """

    id: str
    namespace: str
    service_account: str
    role_arn: str


@dataclass(frozen=True, kw_only=True)
class LocalNode:
    """A node of a local cluster.

    Attributes:
        name: Its name.
        vcpus: How many.
        memory_mib: Its memory.
        zone: Its zone.
        labels: Its labels.
        taints: Its taints.
    """

    name: str
    vcpus: int
    memory_mib: int = field(metadata={"key": "memoryMiB"})
    zone: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LocalSpec:
    """A cluster without EKS, as kind or minikube would make it.

    Attributes:
        name: Its name.
        version: Its Kubernetes version, such as `1.35`.
        nodes: Its nodes.
    """

    name: str
    version: str = "1.35"
    nodes: tuple[LocalNode, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ClusterSpec:
    """A cluster as it should be.

    Attributes:
        name: Its name.
        arn: Its ARN; empty for a local cluster.
        account: The account; empty for a local cluster.
        region: The region; empty for a local cluster.
        version: Its Kubernetes version, such as `1.35`.
        status: As EKS says, or `ACTIVE` for a local cluster.
        created_at: When it was created, as the emulator says.
        creator_arn: Who created it.
        creator_is_admin: Whether that one is cluster administrator.
        service_cidr: The range of service addresses.
        oidc_issuer: Who signs the tokens of service accounts; empty leaves it to the cluster.
        access_entries: Who may enter.
        nodegroups: Its node groups.
        addons: Its add-ons.
        pod_identity_associations: Roles of service accounts.
        local: What a local cluster has in place of all that; None for an EKS cluster.
    """

    name: str
    arn: str = ""
    account: str = ""
    region: str = ""
    version: str
    status: str
    created_at: str = ""
    creator_arn: str = ""
    creator_is_admin: bool = False
    service_cidr: str = "172.20.0.0/16"
    oidc_issuer: str = ""
    access_entries: tuple[AccessEntry, ...] = ()
    nodegroups: tuple[NodegroupSpec, ...] = ()
    addons: tuple[AddonSpec, ...] = ()
    pod_identity_associations: tuple[PodIdentityAssociation, ...] = ()
    local: LocalSpec | None = None

    @classmethod
    def of_local(cls, local: LocalSpec) -> "ClusterSpec":
        """Return a local cluster as one that controllers take."""
        return cls(name=local.name, version=local.version, status="ACTIVE", local=local)


@dataclass(frozen=True, kw_only=True)
class Document:
    """All that the control API says at one moment.

    Attributes:
        generation: Grows with each change.
        incarnation: The emulator that said it.
        clusters: EKS clusters and local ones.
    """

    generation: int
    incarnation: str
    clusters: tuple[ClusterSpec, ...]

    @classmethod
    def parse(cls, content: Any) -> "Document":
        """Read the control API's answer.

        Args:
            content: The decoded JSON.

        Raises:
            DocumentError: It is not what it should be.
        """
        said = parse(_Said, content, "document")
        local = (ClusterSpec.of_local(item) for item in said.local)
        return cls(
            generation=said.generation, incarnation=said.incarnation, clusters=(*said.clusters, *local)
        )


@dataclass(frozen=True, kw_only=True)
class _Said:
    """The document as the control API writes it."""

    generation: int
    incarnation: str
    clusters: tuple[ClusterSpec, ...] = ()
    local: tuple[LocalSpec, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Issue:
    """What is wrong with a node group or an add-on, as EKS's health lists it.

    Attributes:
        code: One of EKS's codes, such as `NodeCreationFailure`.
        message: For people.
        resource_ids: What it is about.
    """

    code: str
    message: str
    resource_ids: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as the control API takes it."""
        return {"code": self.code, "message": self.message, "resourceIds": list(self.resource_ids)}


@dataclass(frozen=True, kw_only=True)
class NodegroupReport:
    """What has become of a node group.

    Attributes:
        name: The node group.
        ready: The ids of the instances whose nodes are ready.
        gone: Whether nothing of it is left in the cluster; only for one that is being deleted.
        issues: What is wrong.
    """

    name: str
    ready: tuple[str, ...] = ()
    gone: bool = False
    issues: tuple[Issue, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as the control API takes it."""
        issues = [issue.document() for issue in self.issues]
        gone = {"gone": True} if self.gone else {}
        return {"ready": list(self.ready), "issues": issues, **gone}


@dataclass(frozen=True, kw_only=True)
class AddonReport:
    """What has become of an add-on.

    Attributes:
        name: The add-on.
        status: `GONE` when a deleted one has left nothing behind.
        issues: What is wrong.
    """

    name: str
    status: Literal["ACTIVE", "DEGRADED", "GONE"]
    issues: tuple[Issue, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return it as the control API takes it."""
        return {"status": self.status, "issues": [issue.document() for issue in self.issues]}


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a controller has to say after a round. The follower passes it on to the emulator.

    Attributes:
        nodegroups: The node groups it is responsible for, each round all of them.
        addons: The add-ons it is responsible for, each round all of them.
        again_after_seconds: When it wants to be called again although nothing has changed, because something
            is under way; None leaves it to the follower's own rhythm.
    """

    nodegroups: Sequence[NodegroupReport] = ()
    addons: Sequence[AddonReport] = ()
    again_after_seconds: float | None = None


class Controller(Protocol):
    """Brings one aspect of a cluster to what its specification says.

    A controller is made once for each cluster, without arguments, and called from one thread at a time.
    Whatever it raises is logged, and it is called again after a while; other controllers are not disturbed.
    """

    def reconcile(self, cluster: ClusterSpec, api: "ClusterApi") -> Report:
        """Bring the cluster one step nearer, without waiting for anything.

        Args:
            cluster: The cluster as it should be. A round may see the same specification as the last one.
            api: The running cluster.

        Returns:
            What to tell the emulator.
        """
        ...
