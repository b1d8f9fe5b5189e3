"""A model package as a container image for AWS Lambda: what it answers there, and what the image is built from."""

from seaway.model_server.aws_lambda.image import write_image

__all__ = ["write_image"]
