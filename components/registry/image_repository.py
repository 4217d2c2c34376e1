"""The ECR repository of one image."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from components.registry.lifecycle import lifecycle_policy


@dataclass(frozen=True, kw_only=True)
class ImageRepositoryArgs:
    """What a repository holds and keeps.

    Attributes:
        repository_name: Its name in the registry, such as `cloudcommerce/order`; part of the image's
            address, so it is fixed rather than generated.
        key_arn: KMS key of the `operations` data class.
        protect: Whether Pulumi refuses to delete the repository.
        force_delete: Whether a deletion takes the images along.
        keep_releases: How many releases (tags `v*`) stay.
        untagged_days: Days after which an untagged image goes.
        build_days: Days after which a build that became no release goes.
    """

    repository_name: str
    key_arn: pulumi.Input[str]
    protect: bool = True
    force_delete: bool = False
    keep_releases: int = 30
    untagged_days: int = 7
    build_days: int = 90


class ImageRepository(pulumi.ComponentResource):
    """A repository that scans what is pushed, never changes a tag, and forgets old builds.

    Scanning is set on the repository: the registry's own setting belongs to the whole account and would be
    fought over by every stack in it.

    Attributes:
        repository_arn: ARN of the repository.
        repository_name: Name of the repository.
        repository_url: Address to push to and pull from, without a tag.
    """

    repository_arn: pulumi.Output[str]
    repository_name: pulumi.Output[str]
    repository_url: pulumi.Output[str]

    def __init__(
        self, name: str, args: ImageRepositoryArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("cloudcommerce:registry:ImageRepository", name, None, opts)
        repository = aws.ecr.Repository(
            name,
            name=args.repository_name,
            image_tag_mutability="IMMUTABLE",
            image_scanning_configuration=aws.ecr.RepositoryImageScanningConfigurationArgs(scan_on_push=True),
            encryption_configurations=[
                aws.ecr.RepositoryEncryptionConfigurationArgs(encryption_type="KMS", kms_key=args.key_arn)
            ],
            force_delete=args.force_delete,
            tags={"Name": name},
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        aws.ecr.LifecyclePolicy(
            name,
            repository=repository.name,
            policy=lifecycle_policy(
                keep_releases=args.keep_releases,
                untagged_days=args.untagged_days,
                build_days=args.build_days,
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.repository_arn = repository.arn
        self.repository_name = repository.name
        self.repository_url = repository.repository_url
        self.register_outputs({output: getattr(self, output) for output in ImageRepository.__annotations__})
