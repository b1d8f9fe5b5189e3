"""What tells one step from another in the cache of local runs."""

from pathlib import Path

import pytest
from kfp import dsl
from seaway.kfp.local.cache import VerifiedCache


def key(folder: Path, component: str, text: str = "count()", **arguments: object) -> str:
    return VerifiedCache(str(folder)).compute_key(component, "image", ["sh", "-c", text], arguments)


def test_a_component_that_a_nested_pipeline_uses_as_well_is_the_same(tmp_path: Path) -> None:
    assert key(tmp_path, "comp-ingest", months="1") == key(tmp_path, "comp-ingest-2", months="1")


@pytest.mark.parametrize("other", [{"months": "2"}, {"months": "1", "text": "other()"}, {"months": "1", "rows": 3}])
def test_other_code_or_arguments_are_another_step(tmp_path: Path, other: dict[str, str]) -> None:
    assert key(tmp_path, "comp-ingest", months="1") != key(tmp_path, "comp-ingest-2", **other)


def test_a_result_whose_file_was_changed_is_made_anew(tmp_path: Path) -> None:
    cache, file = VerifiedCache(str(tmp_path / "cache")), tmp_path / "rows.parquet"
    file.write_text("rows")
    cache.put("key", {"rows": dsl.Dataset(name="rows", uri=str(file))})
    kept = cache.get("key")
    assert kept
    assert kept["rows"].uri == str(file)
    file.write_text("r0ws")
    assert cache.get("key") is None
    file.unlink()
    assert cache.get("key") is None
