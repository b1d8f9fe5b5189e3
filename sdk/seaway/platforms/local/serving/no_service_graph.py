"""The mesh of this machine, which has none: a rollout's own counts are all there is to tell."""

from seaway.monitoring import Callers
from seaway.serving import DeployedEndpoint


class NoServiceGraph:
    """The `ServiceGraph` port where nothing but the rollout calls the endpoint."""

    def read(self, endpoint: DeployedEndpoint, seconds: int) -> Callers:
        """No edges, and nothing to say about it."""
        return Callers()
