"""The server's process: KServe's application and model registry, with Seaway's route in the place of its inference.

KServe reads a request by a pydantic union over all its values, passes the model one request at a time, and answers 500
to what a signature would refuse. So only those of its routes are reached that tell something; inference goes to the
same `Application` as elsewhere, through KServe's middleware.
"""

from typing import Any

from kserve import Model, ModelServer
from kserve.model_server import app
from kserve.protocol.rest.server import RESTServer
from prometheus_client import REGISTRY
from starlette.routing import Route

from seaway.entrypoint import run
from seaway.model_server.envoy.config import infer_path
from seaway.model_server.uvicorn.application import Asgi, guarded
from seaway.model_server.uvicorn.program import Loaded, main


class Package(Model):
    """A model package, as KServe's registry tells it."""

    def __init__(self, loaded: Loaded) -> None:
        super().__init__(loaded.model)
        self._metadata = loaded.metadata
        self.ready = True

    def get_input_types(self) -> list[dict[str, Any]]:
        """Names, datatypes and shapes of the inputs."""
        inputs: list[dict[str, Any]] = self._metadata["inputs"]
        return inputs

    def get_output_types(self) -> list[dict[str, Any]]:
        """Names, datatypes and shapes of the outputs."""
        outputs: list[dict[str, Any]] = self._metadata["outputs"]
        return outputs


def application(loaded: Loaded, inference: Asgi) -> Asgi:
    """KServe's application, which has one model."""
    server = ModelServer(enable_grpc=False, enable_latency_logging=False)  # Envoy bridges gRPC to the same route
    server.register_model(Package(loaded))
    RESTServer("", server.dataplane, server.model_repository_extension, http_port=0).create_application()
    app.router.routes.insert(0, Route(infer_path(loaded.model), inference))
    REGISTRY.register(loaded.metrics)
    return guarded(app, loaded.model)


if __name__ == "__main__":
    run(lambda: main(application))
