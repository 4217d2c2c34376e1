"""Claims get volumes of the emulator's EBS, in the zone of their pod."""

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cloudcommerce_sandbox.kubernetes.controllers import ebs
from cloudcommerce_sandbox.kubernetes.controllers.addons import AddonsController
from cloudcommerce_sandbox.kubernetes.controllers.ebs import ParameterError
from cloudcommerce_sandbox.kubernetes.controllers.nodes import NodesController
from cloudcommerce_sandbox.kubernetes.controllers.volumes import VolumesController
from cloudcommerce_sandbox.kubernetes.model import (
    AddonSpec,
    Controller,
    LocalNode,
    LocalSpec,
    PodIdentityAssociation,
)

from sandbox.tests.emulator.conftest import RunningEmulator
from sandbox.tests.kubernetes.controllers.conftest import (
    ZONES,
    Running,
    cluster,
    group,
    instance,
    is_ready,
)

IN_CLUSTER = [pytest.mark.mission_M39, pytest.mark.xdist_group("kubernetes"), pytest.mark.timeout(150)]
ROLE = "arn:aws:iam::123456789012:role/ebs"


@pytest.mark.parametrize(
    ("quantity", "gib"),
    [
        ("1Gi", 1),
        ("1.5Gi", 2),
        ("500M", 1),
        ("10G", 10),
        ("1Ti", 1024),
        ("1", 1),
        ("1073741825", 2),
        ("1e3Ki", None),
    ],
)
def test_sizes_are_rounded_up_as_the_driver_does(quantity: str, gib: int | None) -> None:
    if gib is None:
        with pytest.raises(ParameterError):
            ebs.gibibytes(quantity)
    else:
        assert ebs.gibibytes(quantity) == gib


def test_parameters_become_arguments_of_ec2() -> None:
    parameters = {
        "type": "io2",
        "iopsPerGB": "50",
        "encrypted": "true",
        "kmsKeyId": "arn:key",
        "csi.storage.k8s.io/fstype": "xfs",
    }
    assert ebs.volume_arguments(parameters, 20) == {
        "Size": 20,
        "VolumeType": "io2",
        "Iops": 1000,
        "Encrypted": True,
        "KmsKeyId": "arn:key",
    }
    assert ebs.volume_arguments({}, 1) == {"Size": 1, "VolumeType": "gp3"}


@pytest.mark.parametrize("parameters", [{"colour": "red"}, {"iops": "many"}])
def test_what_the_driver_refuses_is_refused(parameters: Any) -> None:
    with pytest.raises(ParameterError):
        ebs.volume_arguments(parameters, 1)


def test_tags_are_the_drivers_and_the_class_and_the_addons() -> None:
    claim = {"metadata": {"name": "data-0", "namespace": "shop"}}
    parameters = {"tagSpecification_1": "owner={{ .PVCNamespace }}-{{.PVCName}}"}
    tags = ebs.volume_tags("prod", "pvc-1", claim, parameters, {"Environment": "prod"})

    assert tags["owner"] == "shop-data-0"
    assert tags["Environment"] == "prod"
    assert tags["kubernetes.io/cluster/prod"] == "owned"
    assert tags["CSIVolumeName"] == "pvc-1"
    with pytest.raises(ParameterError, match="key=value"):
        ebs.volume_tags("prod", "pvc-1", claim, {"tagSpecification_1": "owner"}, {})


def test_device_names_are_not_used_twice() -> None:
    assert ebs.free_device([]) == "/dev/xvdaa"
    assert ebs.free_device(["/dev/xvda", "/dev/xvdaa", "/dev/xvdab"]) == "/dev/xvdac"


def addons(role: str = ROLE) -> Any:
    common = {"version": "v1", "status": "ACTIVE"}
    tags = {"controller": {"extraVolumeTags": {"Environment": "test"}}}
    return (
        AddonSpec(name="aws-ebs-csi-driver", configuration=tags, service_account_role_arn=role, **common),
        AddonSpec(name="eks-pod-identity-agent", configuration={}, service_account_role_arn="", **common),
    )


@pytest.fixture
def aws(ec2: RunningEmulator) -> Iterator[Any]:
    client = boto3.client(
        "ec2",
        region_name="us-east-1",
        endpoint_url=ec2.url,
        aws_access_key_id="x",
        aws_secret_access_key="x",
    )
    yield client
    for volume in client.describe_volumes()["Volumes"]:
        if any(item["Key"] == "CSIVolumeName" for item in volume.get("Tags", [])):
            for item in volume["Attachments"]:
                client.detach_volume(
                    VolumeId=volume["VolumeId"], InstanceId=item["InstanceId"], Device=item["Device"]
                )
            client.delete_volume(VolumeId=volume["VolumeId"])


@pytest.fixture
def running(api: Any, aws: Any) -> Iterator[Any]:
    """Three nodes of real instances in three zones, and the driver on them."""
    instances = []
    for number, zone in enumerate(ZONES, 1):
        made = aws.run_instances(
            ImageId="ami-12c6146b",
            InstanceType="t3.medium",
            MinCount=1,
            MaxCount=1,
            Placement={"AvailabilityZone": zone},
        )["Instances"][0]
        spec = instance(number, zone)
        instances.append(type(spec)(**{**vars(spec), "id": made["InstanceId"]}))
    controllers: list[Controller] = [NodesController(), AddonsController(), VolumesController()]
    running = Running(api, cluster(nodegroups=(group(instances),), addons=addons()), controllers)
    running.until(lambda: len(api.list("storage.k8s.io/v1", "CSINode")) == 3, 60)
    yield running
    running.spec = cluster(nodegroups=(group(instances),))
    running.until(lambda: not api.list("apps/v1", "Deployment", namespace="kube-system"))
    for name in ("gp3", "standard"):
        api.delete("storage.k8s.io/v1", "StorageClass", name)
    for volume in api.list("v1", "PersistentVolume"):
        api.patch("v1", "PersistentVolume", volume["metadata"]["name"], {"metadata": {"finalizers": None}})
        api.delete("v1", "PersistentVolume", volume["metadata"]["name"])


def storage_class(**changes: Any) -> Any:
    return {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "gp3"},
        "provisioner": "ebs.csi.aws.com",
        "parameters": {"type": "gp3", "encrypted": "true"},
        "volumeBindingMode": "WaitForFirstConsumer",
        "allowVolumeExpansion": True,
        **changes,
    }


def stateful_set(namespace: str, replicas: int, storage: str = "gp3") -> Any:
    spread = {
        "maxSkew": 1,
        "topologyKey": "topology.kubernetes.io/zone",
        "whenUnsatisfiable": "DoNotSchedule",
        "labelSelector": {"matchLabels": {"app": "db"}},
    }
    container = {"name": "db", "image": "db:1", "volumeMounts": [{"name": "data", "mountPath": "/data"}]}
    return {
        "apiVersion": "apps/v1",
        "kind": "StatefulSet",
        "metadata": {"name": "db", "namespace": namespace},
        "spec": {
            "serviceName": "db",
            "replicas": replicas,
            "podManagementPolicy": "Parallel",
            "selector": {"matchLabels": {"app": "db"}},
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete", "whenScaled": "Retain"},
            "template": {
                "metadata": {"labels": {"app": "db"}},
                "spec": {"containers": [container], "topologySpreadConstraints": [spread]},
            },
            "volumeClaimTemplates": [
                {
                    "metadata": {"name": "data"},
                    "spec": {
                        "accessModes": ["ReadWriteOnce"],
                        "storageClassName": storage,
                        "resources": {"requests": {"storage": "8Gi"}},
                    },
                }
            ],
        },
    }


def by_claim(aws: Any, namespace: str) -> Any:
    found = {}
    for volume in aws.describe_volumes()["Volumes"]:
        tags = {item["Key"]: item["Value"] for item in volume.get("Tags", [])}
        if tags.get("kubernetes.io/created-for/pvc/namespace") == namespace:
            found[tags["kubernetes.io/created-for/pvc/name"]] = (volume, tags)
    return found


def all_ready(running: Running, namespace: str, count: int) -> Any:
    return sum(map(is_ready, running.pods(namespace))) == count


class TestOnEks:
    pytestmark = IN_CLUSTER

    def test_a_stateful_set_starts_on_volumes_in_its_pods_zones_and_leaves_nothing(
        self, running: Running, api: Any, aws: Any, namespace: str
    ) -> None:
        api.apply(storage_class())
        api.apply(stateful_set(namespace, 3))
        running.until(lambda: all_ready(running, namespace, 3))

        zones = {
            node["metadata"]["name"]: node["metadata"]["labels"][ebs.ZONE] for node in api.list("v1", "Node")
        }
        volumes = by_claim(aws, namespace)
        for pod in running.pods(namespace):
            volume, tags = volumes[f"data-{pod['metadata']['name']}"]
            assert volume["AvailabilityZone"] == zones[pod["spec"]["nodeName"]]
            assert (volume["Size"], volume["VolumeType"], volume["Encrypted"]) == (8, "gp3", True)
            assert tags["Environment"] == "test"
            assert tags["kubernetes.io/cluster/shop"] == "owned"
        running.until(
            lambda: all(volume["State"] == "in-use" for volume, _ in by_claim(aws, namespace).values())
        )

        api.delete("apps/v1", "StatefulSet", "db", namespace)
        running.until(lambda: not by_claim(aws, namespace), 60)
        running.until(lambda: not api.list("v1", "PersistentVolume"))

    def test_a_pod_comes_back_where_its_volume_is(
        self, running: Running, api: Any, aws: Any, namespace: str
    ) -> None:
        api.apply(storage_class())
        api.apply(stateful_set(namespace, 1))
        running.until(lambda: all_ready(running, namespace, 1))
        first = running.pods(namespace)[0]

        api.delete("v1", "Pod", first["metadata"]["name"], namespace)
        running.until(
            lambda: (
                all_ready(running, namespace, 1)
                and running.pods(namespace)[0]["metadata"]["uid"] != first["metadata"]["uid"]
            )
        )
        assert running.pods(namespace)[0]["spec"]["nodeName"] == first["spec"]["nodeName"]
        assert len(by_claim(aws, namespace)) == 1

    def test_a_claim_grows(self, running: Running, api: Any, aws: Any, namespace: str) -> None:
        api.apply(storage_class())
        api.apply(stateful_set(namespace, 1))
        running.until(lambda: all_ready(running, namespace, 1))

        larger = {"spec": {"resources": {"requests": {"storage": "12Gi"}}}}
        api.patch("v1", "PersistentVolumeClaim", "data-db-0", larger, namespace=namespace)
        running.until(
            lambda: (
                api.get("v1", "PersistentVolumeClaim", "data-db-0", namespace)["status"]["capacity"][
                    "storage"
                ]
                == "12Gi"
            )
        )
        assert by_claim(aws, namespace)["data-db-0"][0]["Size"] == 12

    def test_a_class_keeps_to_its_zones(self, running: Running, api: Any, namespace: str) -> None:
        topology = [{"matchLabelExpressions": [{"key": ebs.ZONE, "values": ["us-east-1c"]}]}]
        api.apply(storage_class(allowedTopologies=topology))
        api.apply(stateful_set(namespace, 1))
        running.until(lambda: all_ready(running, namespace, 1))
        assert running.pods(namespace)[0]["spec"]["nodeName"] == "ip-10-0-1-3.ec2.internal"

    def test_a_retained_volume_stays(self, running: Running, api: Any, aws: Any, namespace: str) -> None:
        api.apply(storage_class(reclaimPolicy="Retain"))
        api.apply(stateful_set(namespace, 1))
        running.until(lambda: all_ready(running, namespace, 1))
        api.delete("apps/v1", "StatefulSet", "db", namespace)
        running.until(
            lambda: [item["status"]["phase"] for item in api.list("v1", "PersistentVolume")] == ["Released"]
        )
        running.round()
        assert len(by_claim(aws, namespace)) == 1

    @pytest.mark.parametrize("associated", [False, True])
    def test_the_driver_needs_a_role(
        self, running: Running, api: Any, namespace: str, associated: bool
    ) -> None:
        association = PodIdentityAssociation(
            id="a-1", namespace="kube-system", service_account="ebs-csi-controller-sa", role_arn=ROLE
        )
        running.spec = cluster(
            nodegroups=running.spec.nodegroups,
            addons=addons(role=""),
            pod_identity_associations=(association,) if associated else (),
        )
        api.apply(storage_class())
        api.apply(stateful_set(namespace, 1))
        if associated:
            running.until(lambda: all_ready(running, namespace, 1))
            return
        message = running.until(
            lambda: [
                event["message"]
                for event in api.list("v1", "Event", namespace=namespace)
                if event.get("reason") == "ProvisioningFailed"
            ]
        )
        assert "Pod Identity" in message[0]
        assert not api.list("v1", "PersistentVolume")

    def test_what_the_driver_refuses_is_told_to_the_claim(
        self, running: Running, api: Any, namespace: str
    ) -> None:
        api.apply(storage_class(parameters={"colour": "red"}))
        api.apply(stateful_set(namespace, 1))

        def told() -> Any:
            return [
                event["message"]
                for event in api.list("v1", "Event", namespace=namespace)
                if event.get("reason") == "ProvisioningFailed"
            ]

        assert "Invalid parameter key colour" in running.until(told)[0]
        running.round()
        assert len(told()) == 1

    @pytest.mark.usefixtures("running")
    def test_the_scheduler_knows_how_many_volumes_a_node_takes(self, api: Any) -> None:
        drivers = api.get("storage.k8s.io/v1", "CSINode", "ip-10-0-1-1.ec2.internal")["spec"]["drivers"]
        assert drivers[0]["allocatable"]["count"] == 26
        assert ebs.ZONE in drivers[0]["topologyKeys"]


class TestLocally:
    pytestmark = IN_CLUSTER

    def test_the_default_class_serves_claims_on_the_pods_node(self, api: Any, namespace: str) -> None:
        nodes = tuple(
            LocalNode(name=f"dev-{zone}", vcpus=4, memory_mib=8192, zone=zone, labels={}, taints=())
            for zone in "ab"
        )
        spec = cluster(local=LocalSpec(name="dev", version="1.35", nodes=nodes))
        running = Running(api, spec, [NodesController(), VolumesController()])
        running.round()
        stateful = stateful_set(namespace, 2)
        del stateful["spec"]["volumeClaimTemplates"][0]["spec"]["storageClassName"]
        api.apply(stateful)
        running.until(lambda: all_ready(running, namespace, 2))

        api.delete("apps/v1", "StatefulSet", "db", namespace)
        running.until(lambda: not api.list("v1", "PersistentVolume"))
        api.delete("storage.k8s.io/v1", "StorageClass", "standard")
