"""What a step in a pod has imported before it does anything: heavy libraries are no part of it, unless named here.

Counted, not timed: these cost tenths of a second of processor time, or seconds; pyarrow, which is a seventh, is free.
`python -m benchmarks.step_starts` measures the seconds.
"""

import pytest
from seaway import registry
from seaway.kfp import catalog
from seaway.registry import KUBERNETES

from benchmarks.step_starts import CLUSTER, LAUNCHER, imported, start

HEAVY = {
    *("torch", "torchvision", "transformers", "keras", "sklearn", "xgboost", "lightgbm", "skops", "onnx", "sympy"),
    *("onnxruntime", "openvino", "executorch", "coremltools", "optuna", "pandas", "duckdb", "pandera"),
    *("scipy.stats", "scipy.spatial", "feast", "ibis", "mlflow", "evidently", "sqlalchemy", "kubernetes", "pydantic"),
    *("kubeflow_katib_api", "fastapi", "uvicorn", "ray", "papermill", "IPython", "nbformat", "matplotlib", "grpc"),
    *("kfp_server_api", "google.protobuf", "model_signing", "cryptography", "minio", "aiohttp", "jsonschema", "typer"),
}
NEEDED = {"synthesize_examples": {"pandas", "scipy.spatial", "scipy.stats"}}  # with its first own statement
PROGRAMS = {  # of pods, each with what it is for
    "seaway.training.pod.__main__": set(),
    "seaway.tuning.pod.__main__": set(),
    "seaway.model_server.fetch_package": set(),
    "seaway.model_server.pod": set(),
    "seaway.serving.batch.pod": set(),
    "seaway.model_server.uvicorn.program": {"torch", "uvicorn"},
}
OF_CLUSTER = {"kubernetes", "cryptography", "kubeflow_katib_api", "pydantic", "jsonschema"}


def heavy(*parts: str) -> set[str]:
    """Those that a process has after these source texts."""
    return HEAVY & set(imported([*parts])[1])


@pytest.mark.parametrize("entry", catalog.components(), ids=lambda entry: entry.name)
def test_a_component_starts_without_heavy_libraries(entry: catalog.Entry) -> None:
    assert heavy(*start(entry)) == NEEDED.get(entry.name, set())


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_of_a_pod_starts_with_what_it_is_for(program: str) -> None:
    assert heavy(f"import {program}") == PROGRAMS[program]


def test_the_backends_of_a_cluster_bring_its_client_and_no_library_of_a_laptop() -> None:
    backends = [one for port in CLUSTER for one in registry.backends(port, KUBERNETES).values()]
    modules = [f"import {one.adapter.partition(':')[0]}" for one in backends]
    assert heavy(LAUNCHER, "import seaway.platforms", *modules) == OF_CLUSTER
