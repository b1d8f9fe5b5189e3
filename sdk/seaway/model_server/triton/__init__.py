"""A model package as a Triton model repository: for who runs NVIDIA's server, which is a container of theirs."""

from seaway.model_server.triton.repository import write_repository

__all__ = ["write_repository"]
