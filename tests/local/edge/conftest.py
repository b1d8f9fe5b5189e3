"""Trained models, and what was made of them for devices, each once."""

from collections.abc import Callable
from pathlib import Path

import edge_models
import pyarrow as pa
import pytest
from pyarrow import parquet
from seaway import edge, models


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """A trained model by name, made once."""
    folder = tmp_path_factory.mktemp("models")
    make = {"stations": edge_models.tabular_model, "digits": edge_models.digits_model}
    return lambda name: folder / name if (folder / name).exists() else make[name](folder / name)


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> models.Keys:
    return models.signing_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="session")
def exported(
    made: Callable[[str], Path], keys: models.Keys, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, str], edge.EdgePackage]:
    """A model for a target, converted once."""
    folder, kept = tmp_path_factory.mktemp("edge"), dict[tuple[str, str], edge.EdgePackage]()

    def export_once(model: str, target: str) -> edge.EdgePackage:
        if (model, target) not in kept:
            output = folder / f"{model}-{target}"
            kept[model, target] = edge.export_edge(made(model), target, output, keys.private)
        return kept[model, target]

    return export_once


@pytest.fixture(scope="session")
def rows(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Held-out rows with labels."""
    folder = tmp_path_factory.mktemp("rows")
    stations = pa.Table.from_pandas(edge_models.table(300, seed=5))
    tables = {"stations": stations, "digits": edge_models.digits_rows(slice(1200, 1500))}
    for name, table in tables.items():
        parquet.write_table(table, folder / f"{name}.parquet")
    parquet.write_table(edge_models.digits_rows(slice(0, 100)), folder / "training.parquet")
    return {path.stem: path for path in folder.iterdir()}
