"""MLServer as a model server: started with its own packages, otherwise as the uvicorn server is."""

from collections.abc import Mapping
from pathlib import Path

from seaway.model_server import own_packages
from seaway.model_server.uvicorn.server import UvicornServer

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


class MLServerServer(UvicornServer):
    """One process an arm, in which MLServer's application has Seaway's route for inference."""

    program = "seaway.model_server.mlserver.program"

    def environment(self, kept: Path) -> Mapping[str, str]:
        """See `UvicornServer`. Raises: InvalidSpec: MLServer's packages cannot be installed."""
        return own_packages.environment(REQUIREMENTS, kept)
