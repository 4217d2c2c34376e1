"""Registry: where the images of the services lie."""

from components.registry.image_repository import ImageRepository, ImageRepositoryArgs

__all__ = ["ImageRepository", "ImageRepositoryArgs"]
