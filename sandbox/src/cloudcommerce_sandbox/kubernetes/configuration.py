"""The files that the components read at their start."""

import base64
import json
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cloudcommerce_sandbox.files import write_atomically
from cloudcommerce_sandbox.kubernetes.certificates import KeyPair

_ENCRYPTION_KEY_BYTES = 32
HEALTH_PATHS = ("/livez", "/readyz", "/healthz")


def write_kubeconfig(path: Path, *, server: str, authority: Path, client: KeyPair) -> Path:
    """Write a kubeconfig for a component, with certificates by their paths.

    Args:
        path: The file.
        server: The server's address.
        authority: The server's certificate authority.
        client: Whom the component is.

    Returns:
        The path.
    """
    content = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "it", "cluster": {"server": server, "certificate-authority": str(authority)}}],
        "users": [
            {
                "name": "us",
                "user": {"client-certificate": str(client.certificate), "client-key": str(client.key)},
            }
        ],
        "contexts": [{"name": "default", "context": {"cluster": "it", "user": "us"}}],
        "current-context": "default",
    }
    return _write(path, content)


def write_encryption(path: Path) -> Path:
    """Write how Secrets lie in the store: encrypted with a key that is made the first time.

    EKS encrypts with a key of KMS; here it is a key in a file. Either way the store holds no readable Secret.

    Args:
        path: The file; one that is there is kept, as it holds the key.

    Returns:
        The path.
    """
    if not path.is_file():
        key = base64.b64encode(secrets.token_bytes(_ENCRYPTION_KEY_BYTES)).decode()
        providers = [{"secretbox": {"keys": [{"name": "sandbox", "secret": key}]}}, {"identity": {}}]
        content = {
            "apiVersion": "apiserver.config.k8s.io/v1",
            "kind": "EncryptionConfiguration",
            "resources": [{"resources": ["secrets"], "providers": providers}],
        }
        write_atomically(path, json.dumps(content), mode=0o600)
    return path


def write_authentication(path: Path) -> Path:
    """Write that nobody is anonymous but who asks for the server's health.

    Args:
        path: The file.

    Returns:
        The path.
    """
    content = {
        "apiVersion": "apiserver.config.k8s.io/v1",
        "kind": "AuthenticationConfiguration",
        "anonymous": {"enabled": True, "conditions": [{"path": item} for item in HEALTH_PATHS]},
    }
    return _write(path, content)


def write_audit_policy(path: Path) -> Path:
    """Write what the audit log keeps: who changed what, without what was in it, and no reads.

    Args:
        path: The file.

    Returns:
        The path.
    """
    components = [
        "system:kube-controller-manager",
        "system:kube-scheduler",
        "system:apiserver",
        "sandbox:kwok",
    ]
    content = {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {"level": "None", "users": components},
            {"level": "None", "userGroups": ["system:serviceaccounts:kube-system"]},
            {"level": "Metadata", "verbs": ["create", "update", "patch", "delete", "deletecollection"]},
            {"level": "None"},
        ],
    }
    return _write(path, content)


def _write(path: Path, content: Mapping[str, Any]) -> Path:
    # JSON is YAML, and needs no library.
    write_atomically(path, json.dumps(content, indent=2), mode=0o600)
    return path
