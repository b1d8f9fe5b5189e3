"""The server's process: MLServer's application and model registry, with Seaway's route in the place of its inference.

MLServer reads a request by pydantic models and answers what it cannot read in words and statuses of its own. So only
those of its routes are reached that tell something; inference goes to the same `Application` as elsewhere.
"""

import asyncio
from functools import partial

from mlserver import ModelSettings
from mlserver.handlers import DataPlane, ModelRepositoryHandlers
from mlserver.registry import MultiModelRegistry
from mlserver.repository.factory import ModelRepositoryFactory
from mlserver.rest.app import create_app
from mlserver.settings import Settings as ServerSettings
from prometheus_client import REGISTRY
from starlette.routing import Route
from starlette_exporter import handle_metrics

from seaway.entrypoint import run
from seaway.model_server.envoy.config import infer_path
from seaway.model_server.mlserver.runtime import PackageRuntime
from seaway.model_server.uvicorn.application import METRICS, Asgi, guarded
from seaway.model_server.uvicorn.program import Loaded, main


def application(loaded: Loaded, inference: Asgi) -> Asgi:
    """MLServer's application, which has one model."""
    settings = ServerSettings(parallel_workers=0, gzip_enabled=False, metrics_endpoint=None)
    registry = MultiModelRegistry(model_initialiser=partial(PackageRuntime, loaded=loaded))
    asyncio.run(registry.load(ModelSettings(name=loaded.model, implementation=PackageRuntime)))
    repository = ModelRepositoryFactory.resolve_model_repository(settings)
    handlers = ModelRepositoryHandlers(repository=repository, model_registry=registry)
    app = create_app(settings, data_plane=DataPlane(settings, registry), model_repository_handlers=handlers)
    app.router.routes[:0] = [Route(infer_path(loaded.model), inference), Route(METRICS, handle_metrics)]
    REGISTRY.register(loaded.metrics)
    return guarded(app, loaded.model)


if __name__ == "__main__":
    run(lambda: main(application))
