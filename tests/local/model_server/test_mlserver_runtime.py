"""Anybody's MLServer with Seaway's runtime: started by its own command, asked by its own routes."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from free_ports import free_ports
from seaway.model_server import own_packages
from seaway.model_server.mlserver.server import REQUIREMENTS
from seaway.models import ExportedModel, verifying_key
from seaway.serving import GrpcClient, InferenceRefused
from small_package import SIGNATURE, small_package

STARTUP_S = 300.0
START = "import sys; from mlserver.cli import main; sys.argv[0] = 'mlserver'; sys.exit(main())"


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("package")
    return small_package(folder, folder / "home")


@pytest.fixture(scope="module")
def ports(package: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, int]]:
    """Of MLServer, which serves the package by files alone."""
    folder = tmp_path_factory.mktemp("mlserver")
    ports = dict(zip(("http_port", "grpc_port", "metrics_port"), free_ports(3), strict=True))
    (folder / "settings.json").write_text(json.dumps({"host": "127.0.0.1", "parallel_workers": 0, **ports}))
    extra = {"public_key": str(verifying_key(package.parent / "home" / "keys"))}
    model = {
        "name": "small",
        "implementation": "seaway.model_server.mlserver.runtime.PackageRuntime",
        "parameters": {"uri": str(package), "extra": extra},
    }
    (folder / "model-settings.json").write_text(json.dumps(model))
    environment = {**os.environ, **own_packages.environment(REQUIREMENTS, folder / "kept"), "TMPDIR": str(folder)}
    command = [sys.executable, "-c", START, "start", str(folder)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, env=environment, stdout=log, stderr=log) as run:
        try:
            deadline = time.monotonic() + STARTUP_S
            while ask(ports["http_port"], "GET", "/v2/models/small/ready")[0] != 200:
                assert run.poll() is None and time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.1)
            yield ports
        finally:
            run.terminate()


def ask(port: int, method: str, path: str, body: object = None) -> tuple[int, dict[str, object]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(method, path, None if body is None else json.dumps(body))
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read() or b"{}")
    except OSError:
        return 0, {}
    finally:
        connection.close()


def inputs(rows: int = 2) -> list[dict[str, object]]:
    sample = SIGNATURE.sample
    return [
        {"name": spec.name, "datatype": spec.datatype, "shape": [rows, *spec.shape[1:]],
         "data": np.asarray(sample[spec.name][:rows], object).ravel().tolist()}
        for spec in SIGNATURE.inputs
    ]  # fmt: skip


def test_it_answers_what_the_package_predicts_by_both_protocols(package: Path, ports: dict[str, int]) -> None:
    status, answer = ask(ports["http_port"], "POST", "/v2/models/small/infer", {"id": "r-1", "inputs": inputs()})
    assert (status, answer["id"]) == (200, "r-1")
    sample = {name: values[:2] for name, values in SIGNATURE.sample.items()}
    expected = ExportedModel.load(package).predict(sample)["probability"]
    (output,) = answer["outputs"]  # type: ignore[misc]
    np.testing.assert_allclose(np.reshape(output["data"], output["shape"]), expected, rtol=1e-5)
    with GrpcClient(f"http://127.0.0.1:{ports['grpc_port']}", "none") as grpc:
        np.testing.assert_allclose(grpc.infer("small", sample)["probability"], expected, rtol=1e-5)


def test_a_bad_request_is_told_in_our_words(ports: dict[str, int]) -> None:
    status, answer = ask(ports["http_port"], "POST", "/v2/models/small/infer", {"inputs": inputs()[:1]})
    assert status == 400
    assert "Inputs are missing" in str(answer["error"])
    fewer = {name: values[:1] if name == "distance" else values for name, values in SIGNATURE.sample.items()}
    grpc = GrpcClient(f"http://127.0.0.1:{ports['grpc_port']}", "none")
    with grpc, pytest.raises(InferenceRefused, match="The inputs differ in rows"):
        grpc.infer("small", fewer)


def test_its_metadata_are_the_signatures(ports: dict[str, int]) -> None:
    _, metadata = ask(ports["http_port"], "GET", "/v2/models/small")
    assert [one["name"] for one in metadata["inputs"]] == [spec.name for spec in SIGNATURE.inputs]  # type: ignore[attr-defined]
