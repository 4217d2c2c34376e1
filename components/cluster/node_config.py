"""What a node is told at its start: nodeadm's configuration as user data. Pure functions.

https://awslabs.github.io/amazon-eks-ami/nodeadm/doc/api/
"""

import base64
import json

from components.cluster.pods_per_node import NodeReserve

_BOUNDARY = "cloudcommerce-node-config"


def node_config(max_pods: int, reserved: NodeReserve) -> str:
    """The `NodeConfig` document, as JSON (which YAML includes).

    nodeadm reckons its reserve with the pods that fit without prefix delegation, so a `maxPods` of our own
    wants a reserve of our own.

    Args:
        max_pods: Pods that the kubelet admits.
        reserved: What it holds back for that many.
    """
    kubelet = {
        "maxPods": max_pods,
        "kubeReserved": {
            "cpu": f"{reserved.millicores}m",
            "ephemeral-storage": "1Gi",
            "memory": f"{reserved.memory_mib}Mi",
        },
    }
    document = {
        "apiVersion": "node.eks.aws/v1alpha1",
        "kind": "NodeConfig",
        "spec": {"kubelet": {"config": kubelet}},
    }
    return json.dumps(document, indent=2)


def user_data(config: str) -> str:
    """A launch template's user data, in base64.

    EKS merges it with its own part, for which it has to be MIME multipart:
    https://docs.aws.amazon.com/eks/latest/userguide/launch-templates.html

    Args:
        config: A `NodeConfig` document.
    """
    lines = (
        "MIME-Version: 1.0",
        f'Content-Type: multipart/mixed; boundary="{_BOUNDARY}"',
        "",
        f"--{_BOUNDARY}",
        "Content-Type: application/node.eks.aws",
        "",
        config,
        "",
        f"--{_BOUNDARY}--",
        "",
    )
    return base64.b64encode("\n".join(lines).encode()).decode()
