"""TorchServe as a model server."""

from pathlib import Path

from seaway.model_server.torchserve.process import inference_key, metrics_socket, start_arms
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec

HANDLER = Path(__file__).parent.with_name("handler.py")  # it speaks the Open Inference Protocol


class TorchServe:
    """Serves the frozen TorchScript of a package's graph.

    Args:
        handler: a TorchServe handler file that answers in place of Seaway's own.
    """

    def __init__(self, handler: Path = HANDLER) -> None:
        self._handler = handler

    def start(self, spec: EndpointSpec, endpoint: DeployedEndpoint, key: Path, kept: Path) -> None:
        """See `ModelServer`. Raises: PackageRefused, EndpointFailed."""
        start_arms(spec, endpoint, key, kept, self._handler)

    def key(self, endpoint: DeployedEndpoint, arm: Arm) -> str:
        """See `ModelServer`."""
        return inference_key(endpoint, arm)

    def statistics(self, endpoint: DeployedEndpoint, arm: Arm) -> Path:
        """See `ModelServer`."""
        return metrics_socket(endpoint, arm)
