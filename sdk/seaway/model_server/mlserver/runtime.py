"""A runtime for anybody's MLServer, Seldon's and KServe's among them: a model package, verified and answered as here.

`model-settings.json` of a folder that has a package:

    {"name": "churn", "implementation": "seaway.model_server.mlserver.runtime.PackageRuntime",
     "parameters": {"uri": "./package", "extra": {"public_key": "/etc/seaway/keys/signing.pub"}}}
"""

import asyncio
import json
import tempfile
from pathlib import Path
from typing import Any

from mlserver import MLModel, ModelSettings
from mlserver.errors import MLServerError
from mlserver.types import InferenceRequest, InferenceResponse, MetadataTensor

from seaway.errors import InvalidSpec
from seaway.model_server.startup import lay_out
from seaway.model_server.uvicorn.calls import JSON, OK, Call
from seaway.model_server.uvicorn.program import Loaded, load
from seaway.model_server.uvicorn.server import Settings

UNAVAILABLE = 503
HEADERS = {b"content-type": JSON.encode()}
KEY, BATCH_SIZE, WORKERS = "public_key", "batch_size", "workers"  # of `extra`; the last two as in `EndpointSpec`


class PackageRuntime(MLModel):
    """Answers for the package of `parameters.uri`, once that verifies by `parameters.extra.public_key`.

    Args:
        settings: MLServer's, of one model.
        loaded: The model, where whoever makes the runtime has loaded it.
    """

    def __init__(self, settings: ModelSettings, loaded: Loaded | None = None) -> None:
        super().__init__(settings)
        self._loaded = loaded

    async def load(self) -> bool:
        """Verify and load the package. Raises: PackageRefused, InvalidSpec: no package or no key is named."""
        if self._loaded is None:
            self._loaded = await asyncio.to_thread(_load, self._settings)
        self.inputs = [MetadataTensor(**tensor) for tensor in self._loaded.metadata["inputs"]]
        self.outputs = [MetadataTensor(**tensor) for tensor in self._loaded.metadata["outputs"]]
        return True

    async def predict(self, payload: InferenceRequest) -> InferenceResponse:
        """Answer a request among those that wait. Raises: MLServerError: with the request's own status and sentence."""
        call = Call(HEADERS, asyncio.get_running_loop().create_future())
        call.body = payload.model_dump_json(exclude_none=True).encode()
        if self._loaded is None:
            raise MLServerError(f"Model {self.name} is not loaded.", UNAVAILABLE)
        self._loaded.batcher.submit(call)
        await call.done
        if call.status != OK:
            raise MLServerError(json.loads(call.answer)["error"], call.status)
        return InferenceResponse.model_validate_json(call.answer)


def _load(settings: ModelSettings) -> Loaded:
    parameters = settings.parameters
    extra: dict[str, Any] = (parameters and parameters.extra) or {}
    if not parameters or not parameters.uri or KEY not in extra:
        raise InvalidSpec(
            f"Model {settings.name} names no package or nobody's key: set 'uri' and 'extra.{KEY}' of 'parameters' in "
            "its model-settings.json."
        )
    folder = Path(tempfile.mkdtemp(prefix="seaway-"))
    lay_out(folder, Path(parameters.uri), Path(extra[KEY]), folder / "scripts")
    asked = Settings(settings.name, "", int(extra.get(BATCH_SIZE, 32)), int(extra.get(WORKERS, 1)), 0, 0.0)
    return load(folder, asked)
