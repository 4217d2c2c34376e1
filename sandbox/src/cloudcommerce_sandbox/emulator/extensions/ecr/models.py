"""ECR backend: repositories in the tagging API."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from moto.core.resource_tagging import TaggableResourcesMixin, TaggedResource
from moto.ecr import models


class ECRBackend(models.ECRBackend, TaggableResourcesMixin):
    """moto's ECR backend with ours."""

    SERVICE_NAMESPACE = "ecr"

    def tag_resource(self, arn: str, tags: Any) -> None:
        """Tags a repository with pairs, as ECR's API has them, or a mapping, as the tagging API has it."""
        pairs = [{"Key": k, "Value": v} for k, v in tags.items()] if isinstance(tags, Mapping) else tags
        super().tag_resource(arn, pairs)

    def iter_tagged_resources(self) -> Iterator[TaggedResource]:
        """Yields the repositories."""
        for repository in self.repositories.values():
            tags = self.tagger.get_tag_dict_for_resource(repository.arn)
            yield TaggedResource(repository.arn, tags, "ecr:repository")
