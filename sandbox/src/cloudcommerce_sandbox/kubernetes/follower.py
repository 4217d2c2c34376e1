"""Follows the emulator's EKS: what stands there gets a control plane here, what has gone there goes here."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError

from cloudcommerce_sandbox.errors import SandboxError
from cloudcommerce_sandbox.kubernetes.authentication import Verifier
from cloudcommerce_sandbox.kubernetes.authentication_server import AuthenticationServer
from cloudcommerce_sandbox.kubernetes.certificates import Authority
from cloudcommerce_sandbox.kubernetes.commands import LOCAL_ISSUER, Settings, Webhook
from cloudcommerce_sandbox.kubernetes.control_api import ControlApi
from cloudcommerce_sandbox.kubernetes.folders import claim_root, folder_of, key_of, remove, remove_others
from cloudcommerce_sandbox.kubernetes.kubeconfig import write_user_kubeconfig
from cloudcommerce_sandbox.kubernetes.model import ClusterSpec, Controller, Document
from cloudcommerce_sandbox.kubernetes.parsing import DocumentError
from cloudcommerce_sandbox.kubernetes.ports import HOST, Ports
from cloudcommerce_sandbox.kubernetes.state import STATUS_FILE, write_states
from cloudcommerce_sandbox.kubernetes.worker import Worker

_WAIT_SECONDS = 20.0
_RETRY_SECONDS = 0.2
_PAUSE_AFTER_NONSENSE_SECONDS = 1.0
# An emulator that refuses connections for so long has ended: it never closes its port before.
_REFUSED_SECONDS = 3.0

_log = logging.getLogger(__name__)


class Follower:
    """Keeps a worker for each cluster that the emulator tells of.

    Args:
        control: The emulator's control API.
        directory: The follower's folder.
        tools: The folder of the executables.
        kubeconfig: The kubeconfig for people that is kept up to date.
        controllers: Makes the controllers of one cluster.
    """

    def __init__(
        self,
        control: ControlApi,
        directory: Path,
        tools: Path,
        kubeconfig: Path,
        controllers: Callable[[], Sequence[Controller]],
    ) -> None:
        self._control = control
        self._directory = directory
        self._clusters = directory / "clusters"
        self._tools = tools
        self._kubeconfig = kubeconfig
        self._controllers = controllers
        self._workers: dict[str, Worker] = {}
        self._leaving: list[Worker] = []
        self._incarnation = ""
        self._publishing = threading.Lock()
        self._webhook = self._start_webhook()

    def run(self, on_ready: Callable[[str], None]) -> None:
        """Follow until the emulator is gone, and take everything away then.

        Args:
            on_ready: Called with the emulator's incarnation when its clusters are known.

        Raises:
            SandboxError: The emulator is there, and knows nothing of clusters.
        """
        generation = -1
        while (document := self._next(generation)) is not None:
            if not self._incarnation:
                self._incarnation = document.incarnation
                claim_root(self._clusters, document.incarnation)
                remove_others(self._clusters, document.clusters)
                self._apply(document)
                self._publish()
                on_ready(document.incarnation)
            elif document.incarnation != self._incarnation:
                break
            else:
                self._apply(document)
            generation = document.generation
        _log.info("The emulator is gone: taking all clusters away")
        self._take_all_away()

    def _next(self, generation: int) -> Document | None:
        """Return the next document, or None when the emulator has ended."""
        refused_since: float | None = None
        while True:
            pause = _RETRY_SECONDS
            try:
                return self._control.document(after=generation, wait_seconds=_WAIT_SECONDS)
            except (DocumentError, ValueError, HTTPError) as error:
                self._require_known(error)
                _log.error("The emulator's document makes no sense: %s", error)  # no trace needed
                refused_since, pause = None, _PAUSE_AFTER_NONSENSE_SECONDS
            except (OSError, HTTPException) as error:
                if not _is_refusal(error):
                    refused_since = None  # suspended, out of breath, or ended in the middle of its answer
                    _log.info("The emulator gives no answer: %s", error)
                elif refused_since is None:
                    refused_since = time.monotonic()
                elif time.monotonic() > refused_since + _REFUSED_SECONDS:
                    return None
            time.sleep(pause)

    def _require_known(self, error: Exception) -> None:
        """Give up where the emulator never told anything that could be understood: it will not begin to."""
        if not self._incarnation:
            raise SandboxError(
                f"The emulator at {self._control.emulator} does not tell of clusters as this code expects it:"
                f" {error}.",
                "It may run older code than the checkout's: `make stop`, then again.",
            ) from error

    def _apply(self, document: Document) -> None:
        wanted = {key_of(cluster): cluster for cluster in document.clusters}
        for key in [key for key in self._workers if key not in wanted]:
            worker = self._workers.pop(key)
            worker.leave()
            self._leaving.append(worker)
        begun = []
        for key, cluster in wanted.items():
            known = self._workers.get(key)
            if known is not None and known.cluster.created_at == cluster.created_at:
                known.update(cluster)
                continue
            self._await_leaving(known, key)
            self._workers[key] = self._worker(cluster)
            begun.append(self._workers[key])
        # Each publishes as it starts: the context of a cluster still unknown would stop being the chosen one.
        for worker in begun:
            worker.start()
        self._leaving = [worker for worker in self._leaving if worker.is_alive]
        self._publish()

    def _await_leaving(self, known: Worker | None, key: str) -> None:
        """Wait for a namesake that is going: both would use one folder."""
        if known is not None:
            known.leave()
            known.join()
        for worker in self._leaving:
            if key_of(worker.cluster) == key:
                worker.join()

    def _worker(self, cluster: ClusterSpec) -> Worker:
        issuer = cluster.oidc_issuer or LOCAL_ISSUER
        webhook = None if cluster.local else self._webhook_of(cluster)
        return Worker(
            cluster,
            directory=folder_of(self._clusters, cluster),
            tools=self._tools,
            settings=Settings(service_cidr=cluster.service_cidr, issuer=issuer, webhook=webhook),
            controllers=self._controllers(),
            control=self._control,
            on_change=self._publish,
        )

    def _take_all_away(self) -> None:
        workers = [*self._workers.values(), *self._leaving]
        for worker in workers:
            worker.leave()
        for worker in workers:
            worker.join()
        self._webhook.stop()
        remove(self._clusters)
        self._workers = {}
        self._publish()

    def _publish(self) -> None:
        """Write down what there is, for people and for the session."""
        with self._publishing:
            states = [worker.state for worker in list(self._workers.values())]
            try:
                write_states(self._directory / STATUS_FILE, states)
                write_user_kubeconfig(self._kubeconfig, states, str(self._tools / "aws"))
            except OSError as error:  # a full disk; the clusters must be looked after all the same
                _log.error("The clusters' state can't be written down: %s", error)  # no trace needed

    def _start_webhook(self) -> AuthenticationServer:
        authority = Authority(self._directory / "pki", "webhook")
        certificate = authority.server("webhook-server", [HOST])
        self._webhook_authority = authority.files.certificate
        self._webhook_client = authority.client("webhook-client", "kube-apiserver")
        ports = Ports(self._directory / "ports.json")
        ports.renew_taken(["webhook"])
        server = AuthenticationServer(
            find=self._find,
            verifier=Verifier(self._control.emulator),
            certificate=certificate.certificate,
            key=certificate.key,
            client_authority=self._webhook_authority,
            port=ports["webhook"],
        )
        server.start()
        return server

    def _webhook_of(self, cluster: ClusterSpec) -> Webhook:
        return Webhook(
            url=f"https://{HOST}:{self._webhook.port}/{key_of(cluster)}",
            authority=self._webhook_authority,
            client=self._webhook_client,
        )

    def _find(self, key: str) -> ClusterSpec | None:
        worker = self._workers.get(key)
        return worker.cluster if worker else None


def _is_refusal(error: Exception) -> bool:
    """Say whether nobody listens; other errors leave open whether the emulator is there."""
    return isinstance(getattr(error, "reason", error), ConnectionRefusedError)
