"""ECR repositories, their policies and the registry's scanning configuration."""

from __future__ import annotations

from cloudcommerce_sandbox.plugins.aws.conversions import JSON, POLICY
from cloudcommerce_sandbox.plugins.aws.declaration import Call, Field, Id, Name, Read, ResourceType
from cloudcommerce_sandbox.plugins.aws.tagging import arn_tags

_DOCS = "https://registry.terraform.io/providers/hashicorp/aws/latest/docs/resources"
_NAME = {"repositoryName": "{id}"}

REPOSITORY = ResourceType(
    pulumi_type="aws:ecr/repository:Repository",
    service="ecr",
    docs=f"{_DOCS}/ecr_repository",
    id=Id(template="{name}"),
    create=(Call("create_repository", item="repository"),),
    read=Read("describe_repositories", set={"repositoryNames": ["{id}"]}, item="repositories[0]"),
    update=(
        Call(
            "put_image_tag_mutability",
            set=_NAME,
            on=("imageTagMutability", "imageTagMutabilityExclusionFilters"),
            full=True,
        ),
        Call("put_image_scanning_configuration", set=_NAME, on=("imageScanningConfiguration",), full=True),
    ),
    delete=(Call("delete_repository", set={**_NAME, "force": "{forceDelete}"}),),
    name=Name(max_length=256, lower=True, allowed="a-z0-9/_.-"),
    tags=arn_tags(shape=("Key", "Value"), list_operation="list_tags_for_resource"),
    fields={
        "name": Field("repositoryName"),
        "arn": Field(read="repositoryArn"),
        "repositoryUrl": Field(read="repositoryUri"),
        "encryptionConfigurations": Field("encryptionConfiguration"),
        "encryptionConfigurations.kmsKey": Field("kmsKey"),
        "imageTagMutability": Field(default="MUTABLE"),
    },
    force_new=("name", "encryptionConfigurations"),
    kept=("encryptionConfigurations", "imageScanningConfiguration"),
    local=("forceDelete",),
)

LIFECYCLE_POLICY = ResourceType(
    pulumi_type="aws:ecr/lifecyclePolicy:LifecyclePolicy",
    service="ecr",
    docs=f"{_DOCS}/ecr_lifecycle_policy",
    id=Id(template="{repository}"),
    create=(Call("put_lifecycle_policy", item="@"),),
    read=Read("get_lifecycle_policy", set=_NAME, missing=("LifecyclePolicyNotFoundException",)),
    delete=(Call("delete_lifecycle_policy", set=_NAME, ignore=("LifecyclePolicyNotFoundException",)),),
    fields={
        "repository": Field("repositoryName"),
        "policy": Field("lifecyclePolicyText", convert=JSON),
    },
    force_new=("policy", "repository"),
    # It has no name of its own: the deletion of the old policy would take the new one with it.
    delete_before_replace=True,
)

REPOSITORY_POLICY = ResourceType(
    pulumi_type="aws:ecr/repositoryPolicy:RepositoryPolicy",
    service="ecr",
    docs=f"{_DOCS}/ecr_repository_policy",
    id=Id(template="{repository}"),
    create=(Call("set_repository_policy", item="@"),),
    read=Read("get_repository_policy", set=_NAME, missing=("RepositoryPolicyNotFoundException",)),
    update=(Call("set_repository_policy", set=_NAME, on=("policy",)),),
    delete=(Call("delete_repository_policy", set=_NAME, ignore=("RepositoryPolicyNotFoundException",)),),
    fields={
        "repository": Field("repositoryName"),
        "policy": Field("policyText", convert=POLICY),
    },
    force_new=("repository",),
)

SCANNING_CONFIGURATION = ResourceType(
    pulumi_type="aws:ecr/registryScanningConfiguration:RegistryScanningConfiguration",
    service="ecr",
    docs=f"{_DOCS}/ecr_registry_scanning_configuration",
    id=Id(template="{account}"),
    create=(Call("put_registry_scanning_configuration", item="registryScanningConfiguration"),),
    read=Read("get_registry_scanning_configuration", item="scanningConfiguration"),
    update=(Call("put_registry_scanning_configuration", full=True),),
    # The registry always has one: deleting puts back what a new account has.
    delete=(Call("put_registry_scanning_configuration", set={"scanType": "BASIC", "rules": []}),),
    fields={"rules": Field("rules"), "rules.repositoryFilters": Field("repositoryFilters")},
    outputs={"registryId": "{account}"},
)

TYPES = (REPOSITORY, LIFECYCLE_POLICY, REPOSITORY_POLICY, SCANNING_CONFIGURATION)
