"""What every server needs before it answers: a private, verified copy of its package, and its own sample answered."""

import http.client
import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path

from seaway.errors import EndpointFailed, PackageRefused
from seaway.model_server import unix_http
from seaway.model_server.envoy import process as envoy
from seaway.model_server.envoy.config import infer_path
from seaway.model_server.processes import Daemon
from seaway.model_server.torchscript import SCRIPT_FILE, kept_script
from seaway.models import Signature, verified_copy
from seaway.serving import Arm, DeployedEndpoint
from seaway.serving.port import VERSION_DIGITS
from seaway.storage import atomic_path

POLL_S = 0.05
PACKAGE, VERSION_FILE = "package", "version"  # in a model's folder; the version is written last

logger = logging.getLogger(__name__)


def prepare(folder: Path, arm: Arm, key: Path, scripts: Path) -> None:
    """Lay out in `folder` what `OpenInferenceHandler` loads: the package, its script where it has one, its version.

    Raises:
        PackageRefused: the package does not verify by `key`, or changed while it was copied.
    """
    lay_out(folder, Path(arm.package), key, scripts, arm.version)


def lay_out(folder: Path, source: Path, key: Path, scripts: Path, wanted: str = "") -> None:
    """As `prepare`, for the package `source` of any version where none is wanted. Raises: PackageRefused."""
    package = folder / PACKAGE
    version = verified_copy(source, package, key).sha256[:VERSION_DIGITS]
    if wanted not in ("", version):
        raise PackageRefused(f"Package {source} changed while it was deployed; deploy it again.")
    if script := kept_script(package, scripts):
        shutil.copyfile(script, folder / SCRIPT_FILE)
    with atomic_path(folder / VERSION_FILE) as draft:
        draft.write_text(version, encoding="utf-8")


def until(condition: Callable[[], bool], daemon: Daemon, deadline: float) -> None:
    """Return once the condition holds; one that cannot be asked yet does not hold.

    Raises:
        EndpointFailed: not before the deadline (monotonic seconds), or the server ended; the message ends with its log.
    """
    while True:
        try:
            if condition():
                return
        except (OSError, http.client.HTTPException, json.JSONDecodeError):  # its socket or key is being made
            logger.debug("%s does not answer yet", daemon.name)
        if not daemon.running() or time.monotonic() > deadline:
            state = "did not become ready in time" if daemon.running() else "ended while it started"
            raise EndpointFailed(f"Model server {daemon.name} {state}. Its log ends:\n{daemon.last_lines()}")
        time.sleep(POLL_S)


def answers(endpoint: DeployedEndpoint, arm: Arm, key: str, signature: Signature) -> bool:
    """Whether the arm's server answers its model's sample.

    Raises:
        EndpointFailed: the model refuses it.
        OSError, http.client.HTTPException: nobody answers.
    """
    path = envoy.server_socket(endpoint, arm.cluster)
    status, content = unix_http.request(path, "POST", infer_path(endpoint.name), sample_request(signature), bearer(key))
    if http.client.BAD_REQUEST <= status < http.client.INTERNAL_SERVER_ERROR and status != http.client.NOT_FOUND:
        raise EndpointFailed(f"The model of {arm.cluster} refuses its own sample ({status}): {content.decode()}")
    return status == http.client.OK


def sample_request(signature: Signature) -> dict[str, object]:
    """The Open Inference Protocol object that asks for the rows of a signature's sample."""
    import numpy as np

    inputs = []
    for spec in signature.inputs:
        values = np.asarray(signature.sample[spec.name], object)
        shape = [len(values), *spec.shape[1:]]
        inputs.append({"name": spec.name, "datatype": spec.datatype, "shape": shape, "data": values.ravel().tolist()})
    return {"inputs": inputs}


def bearer(key: str) -> dict[str, str]:
    """The header by which a server knows who may ask."""
    return {"authorization": f"Bearer {key}"}
