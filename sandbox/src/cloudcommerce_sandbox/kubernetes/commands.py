"""What the components of a control plane run with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from cloudcommerce_sandbox.kubernetes.certificates import Authority, KeyPair, service_account_keys
from cloudcommerce_sandbox.kubernetes.component import Command
from cloudcommerce_sandbox.kubernetes.configuration import (
    write_audit_policy,
    write_authentication,
    write_encryption,
    write_kubeconfig,
)
from cloudcommerce_sandbox.kubernetes.ports import HOST, Ports

NODE_LABEL = "sandbox.cloudcommerce.dev/node=true"
LOCAL_ISSUER = "https://kubernetes.default.svc.cluster.local"
STAGES = Path(__file__).parent / "stages"

_ADMINISTRATORS = "system:masters"
# Components that one controller manager has on a cloud and the emulator's AWS needs none of.
_ABSENT_CONTROLLERS = (
    "cloud-node-lifecycle-controller",
    "node-ipam-controller",
    "node-route-controller",
    "service-lb-controller",
)


@dataclass(frozen=True, kw_only=True)
class Webhook:
    """Who tells an API server whom a bearer token names.

    Attributes:
        url: Its address.
        authority: Its certificate authority, PEM.
        client: Whom API servers are there.
    """

    url: str
    authority: Path
    client: KeyPair


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What tells one control plane from another.

    Attributes:
        service_cidr: The range of service addresses.
        issuer: The issuer of service accounts' tokens.
        webhook: Who knows bearer tokens; None when only certificates and service accounts are let in.
        stages: The files of kwok's stages, which drive nodes and pods.
    """

    service_cidr: str = "172.20.0.0/16"
    issuer: str = LOCAL_ISSUER
    webhook: Webhook | None = None
    stages: Sequence[Path] = ()


class Commands:
    """Makes the components' commands, and the files that they read.

    Args:
        directory: The cluster's folder.
        tools: The folder of the executables.
        settings: What the control plane is like.
        ports: The cluster's ports.
    """

    def __init__(self, directory: Path, tools: Path, settings: Settings, ports: Ports) -> None:
        self._directory = directory
        self._tools = tools
        self._settings = settings
        self._ports = ports
        self._authority = Authority(directory / "pki", "cluster")
        self._store_authority = Authority(directory / "pki", "etcd")

    @property
    def endpoint(self) -> str:
        """The API server's address."""
        return f"https://{HOST}:{self._ports['kube-apiserver']}"

    @property
    def authority(self) -> Path:
        """The certificate authority of the API server, PEM."""
        return self._authority.files.certificate

    @cached_property
    def administrator(self) -> KeyPair:
        """A certificate that may do everything in the cluster."""
        return self._authority.client("administrator", "sandbox:administrator", [_ADMINISTRATORS])

    @property
    def kubeconfig(self) -> Path:
        """A kubeconfig of the administrator."""
        return self._kubeconfig("administrator", self.administrator)

    def all(self) -> dict[str, Command]:
        """Return the commands by component, in the order in which components need each other."""
        return {
            "etcd": self._etcd(),
            "kube-apiserver": self._server(),
            "kube-controller-manager": self._controller_manager(),
            "kube-scheduler": self._scheduler(),
            "kwok": self._kwok(),
        }

    def _etcd(self) -> Command:
        server = self._store_authority.server("etcd-server", [HOST])
        client, peer = (f"https://{HOST}:{self._ports[name]}" for name in ("etcd", "etcd-peer"))
        authority = self._store_authority.files.certificate
        tls = {"trusted-ca-file": authority, "cert-file": server.certificate, "key-file": server.key}
        flags = {
            "name": "sandbox",
            "data-dir": self._directory / "etcd",
            "listen-client-urls": client,
            "advertise-client-urls": client,
            "listen-peer-urls": peer,
            "initial-advertise-peer-urls": peer,
            "initial-cluster": f"sandbox={peer}",
            **tls,
            **{f"peer-{key}": value for key, value in tls.items()},
            "client-cert-auth": True,
            "peer-client-cert-auth": True,
            # A crash of the machine may cost the last writes; the emulator, which is in memory, loses all.
            "unsafe-no-fsync": True,
            "snapshot-count": 5000,
            "auto-compaction-mode": "revision",
            "auto-compaction-retention": "1000",
            "log-level": "warn",
        }
        return self._program("etcd", flags, memory_mib=90)

    def _server(self) -> Command:
        pki, ca = self._directory / "pki", self._authority
        server = ca.server(
            "kube-apiserver",
            [HOST, "localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"],
        )
        store = self._store_authority.client("etcd-client", "kube-apiserver")
        accounts = service_account_keys(pki)
        encryption = write_encryption(self._directory / "encryption.json")
        authentication = write_authentication(self._directory / "authentication.json")
        policy = write_audit_policy(self._directory / "audit-policy.json")
        flags = {
            "bind-address": HOST,
            "secure-port": self._ports["kube-apiserver"],
            "advertise-address": HOST,
            # The address would be written into the cluster, which refuses loopback addresses.
            "endpoint-reconciler-type": "none",
            "etcd-servers": f"https://{HOST}:{self._ports['etcd']}",
            "etcd-cafile": self._store_authority.files.certificate,
            "etcd-certfile": store.certificate,
            "etcd-keyfile": store.key,
            "client-ca-file": self.authority,
            "tls-cert-file": server.certificate,
            "tls-private-key-file": server.key,
            "service-account-issuer": self._settings.issuer,
            "service-account-key-file": accounts.certificate,
            "service-account-signing-key-file": accounts.key,
            "service-cluster-ip-range": self._settings.service_cidr,
            "authorization-mode": "Node,RBAC",
            "authentication-config": authentication,
            "enable-admission-plugins": "NodeRestriction",
            "encryption-provider-config": encryption,
            "allow-privileged": True,
            "audit-policy-file": policy,
            "audit-log-path": self._directory / "logs" / "audit.log",
            "audit-log-maxsize": 20,
            "audit-log-maxbackup": 1,
            "profiling": False,
            **self._webhook_flags(),
        }
        inputs = [encryption, authentication, policy, server.certificate]
        if self._settings.webhook:
            inputs.append(self._directory / "webhook.json")
        return self._program("kube-apiserver", flags, memory_mib=320, inputs=inputs)

    def _webhook_flags(self) -> dict[str, object]:
        webhook = self._settings.webhook
        if webhook is None:
            return {}
        path = write_kubeconfig(
            self._directory / "webhook.json",
            server=webhook.url,
            authority=webhook.authority,
            client=webhook.client,
        )
        return {
            "authentication-token-webhook-config-file": path,
            "authentication-token-webhook-version": "v1",
            # A changed access entry must count soon.
            "authentication-token-webhook-cache-ttl": "5s",
        }

    def _controller_manager(self) -> Command:
        accounts = service_account_keys(self._directory / "pki")
        kubeconfig = self._component_kubeconfig("kube-controller-manager")
        flags = {
            **self._serving("kube-controller-manager"),
            "kubeconfig": kubeconfig,
            "controllers": ",".join(["*", *(f"-{name}" for name in _ABSENT_CONTROLLERS)]),
            "leader-elect": False,
            "use-service-account-credentials": True,
            "service-account-private-key-file": accounts.key,
            "root-ca-file": self.authority,
            "cluster-signing-cert-file": self.authority,
            "cluster-signing-key-file": self._authority.files.key,
            "kube-api-qps": 200,
            "kube-api-burst": 400,
            "profiling": False,
        }
        return self._program("kube-controller-manager", flags, memory_mib=90, inputs=[kubeconfig])

    def _scheduler(self) -> Command:
        kubeconfig = self._component_kubeconfig("kube-scheduler")
        flags = {
            **self._serving("kube-scheduler"),
            "kubeconfig": kubeconfig,
            "leader-elect": False,
            "kube-api-qps": 200,
            "kube-api-burst": 400,
            "profiling": False,
        }
        return self._program("kube-scheduler", flags, memory_mib=60, inputs=[kubeconfig])

    def _kwok(self) -> Command:
        files = self._settings.stages or sorted(STAGES.glob("*.yaml"))
        kubeconfig = self._kubeconfig(
            "kwok", self._authority.client("kwok", "sandbox:kwok", [_ADMINISTRATORS])
        )
        flags = {
            "kubeconfig": kubeconfig,
            "manage-all-nodes": False,
            # Its own choice is 10.0.0.0/24, which is in many a VPC; networks for benchmarks are in none:
            # https://www.rfc-editor.org/rfc/rfc2544#appendix-C.2.2
            "cidr": "198.18.0.0/16",
            # Without, it keeps no leases, and the controller manager takes its nodes for lost after 40 s.
            "node-lease-duration-seconds": 40,
            "manage-nodes-with-label-selector": NODE_LABEL,
        }
        configurations = tuple(f"--config={path}" for path in files)
        # Else it reads a configuration of the user's, for clusters of kwok's own.
        work = {"KWOK_WORKDIR": str(self._directory / "kwok")}
        return self._program(
            "kwok", flags, more=configurations, memory_mib=60, environment=work, inputs=[kubeconfig, *files]
        )

    def _serving(self, name: str) -> dict[str, object]:
        certificate = self._authority.server(name, [HOST])
        return {
            "bind-address": HOST,
            "secure-port": self._ports[name],
            "tls-cert-file": certificate.certificate,
            "tls-private-key-file": certificate.key,
        }

    def _component_kubeconfig(self, name: str) -> Path:
        return self._kubeconfig(name, self._authority.client(f"{name}-client", f"system:{name}"))

    def _kubeconfig(self, name: str, client: KeyPair) -> Path:
        path = self._directory / "kubeconfigs" / f"{name}.json"
        return write_kubeconfig(path, server=self.endpoint, authority=self.authority, client=client)

    def _program(
        self,
        name: str,
        flags: Mapping[str, object],
        *,
        memory_mib: int,
        more: Sequence[str] = (),
        environment: Mapping[str, str] | None = None,
        inputs: Sequence[Path] = (),
    ) -> Command:
        # Collecting earlier costs little where there are some hundred objects, and keeps a laptop's memory.
        memory = {"GOGC": "50", "GOMEMLIMIT": f"{memory_mib}MiB"}
        return Command(
            executable=self._tools / name,
            arguments=(*(f"--{key}={_flag(value)}" for key, value in flags.items()), *more),
            environment={**memory, **(environment or {})},
            inputs=tuple(inputs),
        )


def _flag(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
