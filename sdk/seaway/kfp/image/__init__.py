"""An image of a user's code on Seaway's own, without a Docker daemon: one layer, pushed by a registry's own API."""

from seaway.kfp.image.build import build, with_image

__all__ = ["build", "with_image"]
