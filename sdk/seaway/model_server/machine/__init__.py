"""A model package as a service of one machine, without Kubernetes: by systemd, or by Docker Compose."""

from seaway.model_server.machine.folder import Machine, write_folder

__all__ = ["Machine", "write_folder"]
