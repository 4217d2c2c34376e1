"""A Kubernetes API server in memory: discovery, objects, and claims that wait for what mounts them."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlparse

from tests.unit.operations.stack_on_disk import STACK_URN, record

RESOURCES = {
    "/api/v1": {
        "Namespace": ("namespaces", False),
        "PersistentVolume": ("persistentvolumes", False),
        "PersistentVolumeClaim": ("persistentvolumeclaims", True),
        "Pod": ("pods", True),
        "ResourceQuota": ("resourcequotas", True),
        "Secret": ("secrets", True),
        "Service": ("services", True),
    },
    "/apis/apps/v1": {"ReplicaSet": ("replicasets", True), "StatefulSet": ("statefulsets", True)},
    "/apis/networking.k8s.io/v1": {
        "Ingress": ("ingresses", True),
        "NetworkPolicy": ("networkpolicies", True),
    },
}
PLURALS = {plural: kind for kinds in RESOURCES.values() for kind, (plural, _) in kinds.items()}
PROVIDER_URN = "urn:pulumi:prod::shop::pulumi:providers:kubernetes::main"


@dataclass
class KubernetesServer:
    """What a test puts into the cluster, and what was asked of it."""

    url: str = ""
    objects: dict[tuple[str, str, str], dict[str, Any]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    refusal: int = 0
    stubborn: bool = False

    def add(self, kind: str, name: str, namespace: str = "", **more: Any) -> dict[str, Any]:
        """Put an object into the cluster; one made by Pulumi unless `metadata` says otherwise."""
        metadata = {
            "name": name,
            "uid": f"{kind}-{namespace}-{name}",
            "managedFields": [{"manager": "pulumi-kubernetes-1a2b3c4d"}],
            **({"namespace": namespace} if namespace else {}),
            **more.pop("metadata", {}),
        }
        made = {"kind": kind, "metadata": metadata, "spec": {}, **more}
        self.objects[kind, namespace, name] = made
        return made

    def named(self, kind: str) -> list[str]:
        """Names of the objects of a kind."""
        return [name for each, _, name in self.objects if each == kind]

    def provider(self, **inputs: Any) -> dict[str, Any]:
        """The record of the provider that leads here."""
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "current-context": "main",
            "clusters": [{"name": "main", "cluster": {"server": self.url}}],
            "users": [{"name": "main", "user": {"token": "secret"}}],
            "contexts": [{"name": "main", "context": {"cluster": "main", "user": "main"}}],
        }
        return {
            "urn": PROVIDER_URN,
            "custom": True,
            "type": "pulumi:providers:kubernetes",
            "id": "77aa",
            "parent": STACK_URN,
            "inputs": {"kubeconfig": json.dumps(kubeconfig), **inputs},
        }

    def remove(self, kind: str, namespace: str, name: str) -> None:
        """Delete as the controllers would: owned pods and volumes follow, claims wait for pods."""
        found = self.objects[kind, namespace, name]
        if self.stubborn or (kind == "PersistentVolumeClaim" and self._is_mounted(namespace, name)):
            found["metadata"]["deletionTimestamp"] = "now"
            return
        del self.objects[kind, namespace, name]
        for (each, space, title), other in list(self.objects.items()):
            owners = other["metadata"].get("ownerReferences") or ()
            claimed = (other["spec"].get("claimRef") or {}).get("name") == name
            if any(owner["name"] == name and owner["kind"] == kind for owner in owners):
                self.remove(each, space, title)
            elif each == "PersistentVolume" and kind == "PersistentVolumeClaim" and claimed:
                retained = other["spec"].get("persistentVolumeReclaimPolicy") == "Retain"
                if not retained:
                    del self.objects[each, space, title]
        for each, space, title in list(self.objects):
            key = (each, space, title)
            if (
                kind == "Pod"
                and key in self.objects
                and self.objects[key]["metadata"].get("deletionTimestamp")
            ):
                self.remove(*key)

    def _is_mounted(self, namespace: str, claim: str) -> bool:
        return any(
            volume.get("persistentVolumeClaim", {}).get("claimName") == claim
            for (kind, space, _), pod in self.objects.items()
            if kind == "Pod" and space == namespace
            for volume in pod["spec"].get("volumes", ())
        )


def kubernetes_record(type_: str, name: str, id_: str = "", **more: Any) -> dict[str, Any]:
    """The record of an object of that provider."""
    return record(type_, name, id_, **{"provider": f"{PROVIDER_URN}::77aa", **more})


@contextmanager
def serve() -> Iterator[KubernetesServer]:
    """Run a server on loopback."""
    server = KubernetesServer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_DELETE(self) -> None:
            self._answer()

        def log_message(self, *_: Any) -> None:
            pass

        def _answer(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            server.asked.append(f"{self.command} {urlparse(self.path).path}")
            status, document = answer(server, self.command, self.path, body)
            if self.headers.get("Authorization") != "Bearer secret":
                status, document = 401, {"message": "Unauthorized"}
            text = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        thread = threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        server.url = f"http://127.0.0.1:{http.server_port}"
        try:
            yield server
        finally:
            http.shutdown()
            thread.join()


def answer(server: KubernetesServer, method: str, target: str, body: Any) -> tuple[int, Any]:
    """Answer one request."""
    path, query = urlparse(target).path, parse_qs(urlparse(target).query)
    root = next((each for each in RESOURCES if path == each or path.startswith(f"{each}/")), None)
    if server.refusal:
        return server.refusal, {"message": "not today"}
    if path == "/version":
        return 200, {"gitVersion": "v1.35.4"}
    if root is None:
        return 404, {"message": "the server could not find the requested resource"}
    if path == root:
        return 200, {"resources": offered(root)}
    namespace, plural, name = parsed(path.removeprefix(f"{root}/"))
    kind = PLURALS[plural]
    if not name:
        every = server.objects.items()
        return 200, page([o for (of, in_, _), o in every if of == kind and namespace in ("", in_)], query)
    return answer_one(server, method, (kind, namespace, name), body)


def answer_one(
    server: KubernetesServer, method: str, key: tuple[str, str, str], body: Any
) -> tuple[int, Any]:
    """Answer a request for one object."""
    found = server.objects.get(key)
    if found is None:
        return 404, {"message": f"{key} not found"}
    if method == "DELETE":
        if body["preconditions"]["uid"] != found["metadata"]["uid"]:
            return 409, {"message": "the UID in the precondition does not match"}
        server.remove(*key)
        return 200, {}
    return 200, found


def offered(root: str) -> list[dict[str, Any]]:
    """What a group offers."""
    return [
        {"name": plural, "kind": kind, "namespaced": namespaced}
        for kind, (plural, namespaced) in RESOURCES[root].items()
    ]


def parsed(path: str) -> tuple[str, str, str]:
    """Namespace, plural and name of a path below its group; empty where it has none."""
    parts = path.split("/")
    namespace = ""
    if parts[0] == "namespaces" and len(parts) > 2:
        namespace, parts = parts[1], parts[2:]
    return namespace, parts[0], parts[1] if len(parts) > 1 else ""


def page(found: list[dict[str, Any]], query: dict[str, list[str]]) -> dict[str, Any]:
    """A page of one object: whoever reads the first page only is found out."""
    wanted = dict(pair.split("=") for each in query.get("labelSelector", ()) for pair in each.split(","))
    chosen = [each for each in found if wanted.items() <= (each["metadata"].get("labels") or {}).items()]
    start = int(query.get("continue", ["0"])[0])
    more = {"continue": str(start + 1)} if start + 1 < len(chosen) else {}
    return {"items": chosen[start : start + 1], "metadata": more}
