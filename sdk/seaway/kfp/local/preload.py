"""What a component's step will import: asked for by its fork server before the step needs it.

A component says by its source which packages of the library it calls, and they import what is heavy late; so the table
below names that. It goes by what is soon imported and soon needed, since a step has to wait for the import under way.
A name that is missing here costs time, nothing else.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Sequence

from seaway.training.tabular import PRELOADED as TABULAR

LATE = {
    "seaway.data": ("pyarrow.csv", "pyarrow.parquet", "duckdb", "pandas", "pandera.pandas"),
    "seaway.features": (
        *("seaway.features.feast_import:import_feast", "seaway.features.asof_store"),
        *("feast.repo_operations", "ibis.backends.duckdb"),
    ),
    "seaway.models": ("model_signing.signing", "model_signing.verifying"),
    "seaway.platforms": (
        *("seaway.platforms.mlflow:_import_mlflow", "mlflow.store.tracking.sqlalchemy_store"),
        *("mlflow.store.model_registry.sqlalchemy_store", "alembic.command", "seaway.platforms.local.serving.endpoint"),
    ),
    "seaway.reporting": (
        *("seaway.reporting.run_report", "seaway.reporting.model_report"),
        *("matplotlib.figure", "matplotlib.backends.backend_svg"),
    ),
    "seaway.rollout": (
        *("seaway.rollout.controller", "seaway.rollout.replay", "seaway.rollout.promotion", "scipy.stats"),
    ),
    "seaway.tuning": ("seaway.platforms.local.tuning.optuna", "seaway.tuning.report", "pyarrow.parquet"),
    "seaway.training": ("torch", *TABULAR),
    "seaway.evaluation": (
        *("seaway.evaluation.evaluator", "seaway.reporting.evaluation_section", "torch"),
        *("torch.export._trace", "torch.export.pt2_archive._package"),
    ),
    "seaway.serving": ("seaway.model_server.torchscript", "seaway.model_server.uvicorn.server"),
}


def imports(sources: Iterable[str]) -> list[str]:
    """References for `fork_server.load`, in the table's order, for components of these source texts."""
    called = {package for source in sources for package in _packages(source)}
    return [reference for package in LATE if package in called for reference in LATE[package]]


def _packages(source: str) -> Iterator[str]:
    """`seaway.<package>` of each import in a source text."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and node.module == "seaway":
            yield from (f"seaway.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield ".".join(node.module.split(".")[:2])
        elif isinstance(node, ast.Import):
            yield from (".".join(alias.name.split(".")[:2]) for alias in node.names)


def main(packages: Sequence[str]) -> None:
    """Import what these packages import late, so that its bytecode is compiled before the first run."""
    from seaway.kfp.local.fork_server import load

    for package in packages:
        for reference in LATE[f"seaway.{package}"]:
            load(reference)


if __name__ == "__main__":
    main(sys.argv[1:])
