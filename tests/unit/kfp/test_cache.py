"""What tells one step from another in the cache of local runs, and what makes it run again."""

import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from kfp.pipeline_spec import pipeline_spec_pb2 as pb
from seaway.kfp.local.artifacts import Artifact
from seaway.kfp.local.cache import REUSED, Ran, StepCache, unknown
from seaway.kfp.local.reads import file_of

CONTAINER = pb.PipelineDeploymentConfig.PipelineContainerSpec
LINE = (
    'program_path=$(mktemp -d)\nprintf "%s" "$0" > "$program_path/ephemeral_component.py"\npython3 -m '
    'kfp.dsl.executor_main --component_module_path "$program_path/ephemeral_component.py" "$@"'
)


def why(folder: Path, source: str = "count()", image: str = "image", **inputs: Any) -> str:
    """Why a step is reused or not; afterwards its result is kept."""
    cache, component = StepCache(folder / "cache"), pb.ComponentSpec()
    container = CONTAINER(image=image, command=["sh", "-ec", LINE, source])
    parts = cache.parts(component, container, inputs)
    found = cache.find("pipeline/step", parts)
    cache.put("pipeline/step", parts, {})
    return found.why


def test_the_same_code_and_arguments_are_the_same_step(tmp_path: Path) -> None:
    assert why(tmp_path, months="1", rows=3) == "it has not run before"
    assert why(tmp_path, rows=3, months="1") == REUSED


@pytest.mark.parametrize(
    ("other", "named"),
    [
        ({"months": "2"}, "input months"),
        ({"months": 1}, "input months"),
        ({"months": "1", "source": "other()"}, "its own code, image or variables"),
        ({"months": "1", "image": "another"}, "its own code, image or variables"),
        ({"months": "1", "rows": 3}, "input rows"),
        ({}, "input months"),
    ],
)
def test_another_step_says_what_is_another(tmp_path: Path, other: dict[str, Any], named: str) -> None:
    why(tmp_path, months="1")
    assert why(tmp_path, **other) == f"changed since it ran last: {named}"


def test_a_parameter_that_looks_like_an_artifact_stays_one(tmp_path: Path) -> None:
    cache, value = StepCache(tmp_path), {"artifact": {"name": "x", "uri": "/"}}
    cache.put("step", {"a": "1"}, {"given": value})
    assert cache.find("step", {"a": "1"}).outputs == {"given": value}


def test_what_tells_of_something_that_goes_on_outside_the_run_is_never_reused(tmp_path: Path) -> None:
    cache, file = StepCache(tmp_path / "cache"), tmp_path / "endpoint.json"
    file.write_text("{}")
    cache.put("step", {}, {"endpoint": Artifact("endpoint", str(file), metadata={"live": True})})
    found = cache.find("step", {})
    assert found.outputs is None
    assert "output endpoint tells of what goes on" in found.why


def test_a_result_whose_file_was_changed_is_made_anew(tmp_path: Path) -> None:
    cache, file = StepCache(tmp_path / "cache"), tmp_path / "rows.parquet"
    file.write_text("rows")
    cache.put("step", {}, {"rows": Artifact("rows", str(file))})
    kept = cache.find("step", {}).outputs
    assert kept
    assert kept["rows"].uri == str(file)
    for damage in (lambda: file.write_text("r0ws"), file.unlink):
        damage()
        found = cache.find("step", {})
        assert (found.outputs, found.why) == (None, f"its output {file} was changed or deleted")


def test_what_lies_in_a_store_is_known_by_its_hash_alone() -> None:
    assert "is at s3://x/y" in unknown({"table": Artifact("table", "s3://x/y")})
    assert unknown({"table": Artifact("table", "s3://x/y", metadata={"sha256": "12"}), "rows": 3}) == ""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's package on PYTHONPATH: its source imports a module beside it, and names a file."""
    folder = tmp_path / "code" / "shop"
    (folder / "deep").mkdir(parents=True)
    (tmp_path / "code" / "helper.py").write_text("VALUE = 1\n")
    (folder / "__init__.py").touch()
    (folder / "query.sql").write_text("SELECT 1")
    (tmp_path / "data.csv").write_text("a\n")
    (folder / "source.py").write_text(f"import helper\nFILE = {str(tmp_path / 'data.csv')!r}\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "code"))
    return folder


EDITS = ["source.py", "query.sql", "deep/new.py", "../helper.py", "../../data.csv"]


@pytest.mark.parametrize(("source", "given"), [("import shop.source", {}), ("", {"rules": "shop.source:read"})])
@pytest.mark.parametrize("edited", EDITS)
def test_what_a_step_reaches_of_its_users_code_counts(
    shop: Path, tmp_path: Path, source: str, given: dict[str, Any], edited: str
) -> None:
    why(tmp_path, source, **given)
    assert why(tmp_path, source, **given) == REUSED
    with (shop / edited).open("a") as file:
        file.write("# edited\n")
    assert (shop / edited).resolve().name in why(tmp_path, source, **given)


def test_a_reference_deep_in_an_argument_and_a_file_count(shop: Path, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a")
    given = {"options": {"read": [{"by": "shop.source"}], "path": str(table)}}
    why(tmp_path, **given)
    assert why(tmp_path, **given) == REUSED
    table.write_text("ab")
    assert why(tmp_path, **given) == f"changed since it ran last: {table}"
    (shop / "source.py").write_text("")
    assert "source.py" in why(tmp_path, **given)


def test_what_a_step_does_not_reach_does_not_count(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "code" / "other.py").write_text("1")
    why(tmp_path, "import shop")
    (tmp_path / "code" / "other.py").write_text("2")
    assert why(tmp_path, "import shop") == REUSED


def test_what_was_edited_while_the_step_ran_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The step may have read the code before the edit or after it."""
    monkeypatch.chdir(tmp_path)
    code, cache, component = tmp_path / "edited_code.py", StepCache(tmp_path / "cache"), pb.ComponentSpec()
    container = CONTAINER(image="image", command=["sh", "-ec", LINE, "import edited_code"])
    for text, kept in (("X = 2", False), ("X = 1", True)):
        code.write_text("X = 1")
        parts = cache.parts(component, container, {})
        code.write_text(text)
        cache.put_if_same(Ran("step", tmp_path / "step.log", time.time()), parts, container, {}, {}, ())
        assert (cache.find("step", parts).why == REUSED) is kept


def read_by(folder: Path, *told: tuple[str, str]) -> Ran:
    """A step that has just run, and told that it read this."""
    file_of(folder / "step.log").write_text("".join(json.dumps(one) + "\n" for one in told))
    return Ran("step", folder / "step.log", time.time() + 1)


def test_what_a_step_was_seen_to_read_counts(tmp_path: Path) -> None:
    cache, container = StepCache(tmp_path / "state" / "cache"), CONTAINER(image="image")
    (tmp_path / "folder").mkdir()
    file, absent = tmp_path / "folder" / "rows.csv", tmp_path / "absent.csv"
    file.write_text("1")
    parts = cache.parts(pb.ComponentSpec(), container, {})
    edits: dict[str, Callable[[], object]] = {
        str(file): lambda: file.write_text("2"),
        f"{file.parent}/": (file.parent / "more.csv").touch,
        str(absent): absent.touch,
    }
    for name, edit in edits.items():
        ran = read_by(tmp_path, ("read", str(file)), ("listed", str(file.parent)), ("read", str(absent)))
        cache.put_if_same(ran, parts, container, {}, {}, ())
        assert cache.find("step", parts).why == REUSED
        edit()
        assert cache.find("step", parts).why == f"changed since it ran last: {name}"


@pytest.mark.parametrize(
    ("told", "kept"),
    [
        ([("read", "here/made.csv")], False),
        ([("listed", "here")], False),
        ([("written", "here/made.csv"), ("read", "here/made.csv"), ("listed", "here")], True),
        ([("read", "state/made.csv"), ("read", "aside/made.csv")], True),
    ],
)
def test_what_others_write_while_a_step_reads_it_keeps_its_result_out(
    told: list[tuple[str, str]], kept: bool, tmp_path: Path
) -> None:
    cache, container, begun = StepCache(tmp_path / "state" / "cache"), CONTAINER(image="image"), time.time()
    for name in ("here", "state", "aside"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "made.csv").touch()
    parts = cache.parts(pb.ComponentSpec(), container, {})
    ran = replace(read_by(tmp_path, *((how, str(tmp_path / path)) for how, path in told)), begun=begun)
    cache.put_if_same(ran, parts, container, {}, {}, [tmp_path / "aside"])
    assert (cache.find("step", parts).why == REUSED) is kept
