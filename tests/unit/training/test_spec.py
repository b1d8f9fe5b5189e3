import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import DataUnreadable, InvalidSpec, TrainingFailed
from seaway.training import TrainResult, TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.result import earlier, output_files


def spec(folder: Path, **changes: object) -> TrainSpec:
    for name in ("train", "validation"):
        (folder / name).write_text(name)
    paths = {name: folder / name for name in ("train", "validation", "output", "checkpoints")}
    return TrainSpec(**{**paths, "entrypoint": "json.tool", **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"workers": 0},
        {"timeout_s": 0},
        {"timeout_s": float("nan")},
        {"seed": -1},
        {"seed": 2**63},
        {"entrypoint": "train.py; rm"},
        {"entrypoint": ""},
        {"params": {"rate": float("nan")}},
        {"params": {"path": Path()}},
        {"placement": ["gpus"]},
    ],
)
def test_a_spec_out_of_range_is_refused_before_anything_starts(tmp_path: Path, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidSpec):
        spec(tmp_path, **changes)


def test_numbers_that_a_pipeline_engine_widened_are_whole_again(tmp_path: Path) -> None:
    widened = spec(tmp_path, params={"hidden": [64.0], "epochs": 6.0, "learning_rate": 0.5})
    assert json.dumps(widened.params) == '{"hidden": [64], "epochs": 6, "learning_rate": 0.5}'


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=30)  # each writes a file to disk
@given(params=st.dictionaries(st.text(), json_values))
def test_a_spec_survives_the_file_that_an_entrypoint_reads(
    tmp_path_factory: pytest.TempPathFactory, params: dict[str, object]
) -> None:
    folder = tmp_path_factory.mktemp("spec")
    written = spec(folder, params=params)
    written.write(folder / "spec.json", "abc")
    assert TrainSpec.read(folder / "spec.json") == (written, "abc")


def test_only_what_changes_the_model_changes_the_fingerprint(tmp_path: Path) -> None:
    first = spec(tmp_path)
    run = fingerprint(first)["run"]
    same = dataclasses.replace(first, workers=3, timeout_s=5, output=tmp_path / "other", checkpoints=tmp_path)
    others = [{"seed": 1}, {"params": {"a": 1}}, {"entrypoint": "json.decoder"}, {"train": tmp_path / "validation"}]
    others.append({"start_from": tmp_path})
    assert fingerprint(same)["run"] == run
    assert len({run, *(fingerprint(dataclasses.replace(first, **other))["run"] for other in others)}) == 6


def test_code_anywhere_below_the_package_changes_the_fingerprint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    below = tmp_path / "learner" / "layers"
    below.mkdir(parents=True)
    for file in (below.parent / "__init__.py", below / "__init__.py"):
        file.touch()
    monkeypatch.syspath_prepend(tmp_path)
    first = spec(tmp_path, entrypoint="learner")
    before = fingerprint(first)
    (below / "__init__.py").write_text("WIDTH = 2")
    after = fingerprint(first)
    assert {name for name in before if before[name] != after[name]} == {"code", "run"}


def test_missing_data_and_unknown_entrypoints_are_named(tmp_path: Path) -> None:
    known = spec(tmp_path)
    with pytest.raises(DataUnreadable, match="nowhere"):
        fingerprint(dataclasses.replace(known, train=tmp_path / "nowhere"))
    (tmp_path / "train").write_text("")
    with pytest.raises(DataUnreadable, match="empty"):
        fingerprint(known)
    with pytest.raises(InvalidSpec, match=r"no_such_package\.train"):
        fingerprint(dataclasses.replace(spec(tmp_path), entrypoint="no_such_package.train"))


def test_a_result_lacking_a_file_is_a_failed_training(tmp_path: Path) -> None:
    (tmp_path / "model.pt2").write_text("x")
    with pytest.raises(TrainingFailed, match=r"did not write model\.safetensors, signature\.json"):
        TrainResult.read(tmp_path)


def test_a_result_is_reused_only_whole_and_for_the_same_run(tmp_path: Path) -> None:
    for name in output_files(tmp_path):
        (tmp_path / name).write_text("{}")
    assert not earlier([tmp_path], {"run": "a"})
    TrainResult.read(tmp_path).record({"run": "a"})
    assert earlier([tmp_path], {"run": "a"})
    assert not earlier([tmp_path], {"run": "b"})
    (tmp_path / "model.safetensors").write_text("{ }")
    assert not earlier([tmp_path], {"run": "a"})
