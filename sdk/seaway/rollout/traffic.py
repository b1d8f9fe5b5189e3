"""Who gets how much of an endpoint's traffic."""

from collections.abc import Mapping
from typing import Protocol

from seaway.serving import DeployedEndpoint

ALL_STABLE: Mapping[str, int] = {"stable": 100, "candidate": 0}


class Traffic(Protocol):
    """Splits an endpoint's requests between its arms by percentage."""

    def set_weights(self, endpoint: DeployedEndpoint, weights: Mapping[str, int]) -> None:
        """Return when the traffic follows the weights, which sum to 100.

        Raises:
            TrafficFailed: the weights are impossible or the traffic does not follow them.
        """
        ...

    def weights(self, endpoint: DeployedEndpoint) -> Mapping[str, int]:
        """Weights by arm, read back from where the traffic flows.

        Raises:
            TrafficFailed: they cannot be read.
        """
        ...
