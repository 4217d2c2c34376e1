"""Has the EKS backend answer every call, and prints as JSON where an answer does not fit botocore's model.

A program of its own: moto keeps our extensions once they are loaded, and other tests ask moto as it comes.
"""

import json
import sys
import threading
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from botocore import xform_name
from botocore.session import Session
from cloudcommerce_sandbox.emulator import extensions
from cloudcommerce_sandbox.emulator.extensions.eks.models import backend_of
from moto.ec2.models import ec2_backends
from moto.iam.models import iam_backends

ACCOUNT, REGION = "123456789012", "us-east-1"
MODEL = Session().get_service_model("eks")
PYTHON_TYPES: dict[str, Any] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "timestamp": datetime,
    "map": dict,
    "list": list,
    "structure": dict,
}


def misfits(value: Any, shape: Any, place: str) -> Iterator[str]:
    """Where a value differs from its shape."""
    if not isinstance(value, PYTHON_TYPES[shape.type_name]):
        yield f"{place} is {value!r}, no {shape.type_name}"
    elif shape.type_name == "structure":
        for name, member in value.items():
            if name not in shape.members:
                yield f"{place} has no member {name}"
            else:
                yield from misfits(member, shape.members[name], f"{place}.{name}")
    elif shape.type_name == "list":
        for item in value:
            yield from misfits(item, shape.member, f"{place}[]")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from misfits(item, shape.value, f"{place}[{key}]")
    elif getattr(shape, "enum", None) and value not in shape.enum:
        yield f"{place} is {value}, none of {shape.enum}"


def scenario(role: str, subnets: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Calls of every operation, with what each needs before it."""
    cluster, group = {"clusterName": "c"}, {"clusterName": "c", "nodegroupName": "g"}
    addon, entry = {"clusterName": "c", "addonName": "vpc-cni"}, {"clusterName": "c", "principalArn": role}
    policy = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy"
    config = [{"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:::key/1"}}]
    yield "DescribeCluster", {"name": "c"}
    yield "ListClusters", {}
    yield "UpdateClusterConfig", {"name": "c", "deletionProtection": False}
    yield "UpdateClusterConfig", {"name": "c", "resourcesVpcConfig": {"endpointPrivateAccess": True}}
    yield "AssociateEncryptionConfig", {**cluster, "encryptionConfig": config}
    yield "DescribeClusterVersions", {}
    spread = {
        "subnets": subnets,
        "nodeRole": role,
        "scalingConfig": {"minSize": 0, "maxSize": 3, "desiredSize": 3},
    }
    taint = {"key": "a", "value": "b", "effect": "NO_SCHEDULE"}
    yield "CreateNodegroup", {**group, **spread, "labels": {"a": "b"}, "taints": [taint]}
    yield "DescribeNodegroup", group
    yield "ListNodegroups", cluster
    yield (
        "UpdateNodegroupConfig",
        {**group, "scalingConfig": {"desiredSize": 2}, "updateConfig": {"maxUnavailable": 1}},
    )
    yield "UpdateNodegroupVersion", group
    yield "CreateAddon", {**addon, "podIdentityAssociations": [{"serviceAccount": "a", "roleArn": role}]}
    yield "DescribeAddon", addon
    yield "ListAddons", cluster
    yield "UpdateAddon", {**addon, "configurationValues": "{}", "resolveConflicts": "PRESERVE"}
    yield "DescribeAddonVersions", {}
    yield "DescribeAddonConfiguration", {"addonName": "vpc-cni", "addonVersion": "v1.22.4-eksbuild.3"}
    yield "UpdateAccessEntry", {**entry, "username": "u"}
    yield "DescribeAccessEntry", entry
    yield "ListAccessEntries", cluster
    yield "AssociateAccessPolicy", {**entry, "policyArn": policy, "accessScope": {"type": "cluster"}}
    yield "ListAssociatedAccessPolicies", entry
    yield "ListAccessPolicies", {}
    yield "DisassociateAccessPolicy", {**entry, "policyArn": policy}
    yield "DeleteAccessEntry", entry
    yield "CreateAccessEntry", entry
    association = {**cluster, "namespace": "n", "serviceAccount": "s", "roleArn": role}
    yield "CreatePodIdentityAssociation", association
    yield "ListPodIdentityAssociations", cluster
    yield "ListUpdates", {"name": "c"}
    yield "UpdateClusterVersion", {"name": "c", "version": "1.36"}
    yield "DeleteAddon", addon
    yield "DeleteNodegroup", group
    yield "DeleteCluster", {"name": "c"}


def play() -> tuple[list[str], set[str]]:
    """Have the backend answer every call; what does not fit, and what was not called."""
    extensions.install("http://127.0.0.1:1", threading.RLock())
    backend = backend_of(ACCOUNT, REGION)
    ec2: Any = ec2_backends[ACCOUNT][REGION]
    vpc = ec2.create_vpc("10.0.0.0/16")
    subnets = [
        ec2.create_subnet(vpc.id, f"10.0.{i}.0/24", availability_zone=f"{REGION}{zone}").id
        for i, zone in enumerate("ab")
    ]
    iam: Any = iam_backends[ACCOUNT]["aws"]
    role = iam.create_role("shapes", "{}", "/", None, "", [], "3600").arn
    problems: list[str] = []

    def check(operation: str, answer: dict[str, Any]) -> None:
        present = {name: value for name, value in answer.items() if value is not None}
        problems.extend(misfits(present, MODEL.operation_model(operation).output_shape, operation))

    creation = {"name": "c", "version": "1.35", "roleArn": role, "resourcesVpcConfig": {"subnetIds": subnets}}
    mode = {"accessConfig": {"authenticationMode": "API"}}
    check("CreateCluster", backend.cluster_operations.create_cluster({**creation, **mode}, role))
    done = {"CreateCluster"}
    for operation, parameters in scenario(role, subnets):
        answer = backend.answer(xform_name(operation), parameters)
        check(operation, answer)
        if operation == "ListUpdates":
            update = {"name": "c", "updateId": answer["updateIds"][0]}
            check("DescribeUpdate", backend.answer("describe_update", update))
        if operation == "CreatePodIdentityAssociation":
            place = {"clusterName": "c", "associationId": answer["association"]["associationId"]}
            for more in ("DescribePodIdentityAssociation", "UpdatePodIdentityAssociation"):
                check(more, backend.answer(xform_name(more), {**place, "roleArn": role}))
                done.add(more)
        done.add(operation)
    ours = {o for extension in extensions.EXTENSIONS if extension.service == "eks" for o in extension.added()}
    return problems, ours - done


if __name__ == "__main__":
    PROBLEMS, UNCALLED = play()
    sys.stdout.write(json.dumps({"problems": PROBLEMS, "uncalled": sorted(UNCALLED)}))
