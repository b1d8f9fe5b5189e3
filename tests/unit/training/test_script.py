"""A plain script as a training: what it is given, and what its output folder has to hold."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from foreign_models import onnx_model, torchscript_model
from seaway.errors import InvalidSpec, TrainingFailed
from seaway.models import Signature
from seaway.training import TrainSpec
from seaway.training.fingerprint import fingerprint
from seaway.training.result import TrainResult
from seaway.training.script import ScriptParams, collect, main


@pytest.fixture
def spec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TrainSpec:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    monkeypatch.setattr(sys, "argv", list(sys.argv))
    monkeypatch.setattr(sys, "path", list(sys.path))
    pd.DataFrame({"a": [1.0, 2.0, -1.0], "b": [0.5, 9.0, 0.0], "y": [1, 0, 0]}).to_parquet(tmp_path / "train.parquet")
    (tmp_path / "output").mkdir()
    rows = tmp_path / "train.parquet"
    params = {"script": str(tmp_path / "train.py"), "task": "binary", "label": "y", "arguments": {"depth": 3}}
    return TrainSpec(
        rows, rows, tmp_path / "output", tmp_path / "kept", "seaway.training.script", params=params, seed=7
    )


def test_a_script_gets_its_paths_and_arguments_and_its_model_a_signature(spec: TrainSpec, tmp_path: Path) -> None:
    kept = onnx_model(tmp_path / "kept.onnx")
    (tmp_path / "train.py").write_text(
        "import os, shutil, sys, json\n"
        f"shutil.copy({str(kept)!r}, os.environ['SEAWAY_OUTPUT'] + '/linear.onnx')\n"
        "told = {'argv': sys.argv[1:]} | {name: os.environ['SEAWAY_' + name] for name in ('SEED', 'FINGERPRINT')}\n"
        f"open({str(tmp_path / 'told.json')!r}, 'w').write(json.dumps(told))\n"
        "sys.exit(0)\n"
    )
    main(spec, "print")
    told = json.loads((tmp_path / "told.json").read_text())
    assert told == {"argv": ["--depth", "3"], "SEED": "7", "FINGERPRINT": "print"}
    signature = Signature.read(spec.output)
    assert (signature.flavour, [one.name for one in signature.inputs]) == ("onnx", ["a", "b"])
    assert signature.target is not None
    assert (signature.target.label, signature.target.output) == ("y", "probability")
    result = TrainResult.read(spec.output)
    assert (result.metrics, result.history) == ({}, ())
    assert {file.name for file in spec.output.iterdir()} == {
        *("model.onnx", "signature.json", "metrics.json", "history.jsonl")
    }


def test_a_script_that_ends_otherwise_fails_the_training(spec: TrainSpec, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import sys; sys.exit('no luck')")
    with pytest.raises(SystemExit, match="no luck"):
        main(spec, "print")


def test_one_model_is_left_and_no_pickle_is_taken_for_one(spec: TrainSpec) -> None:
    params = ScriptParams.parse(spec.params)
    (spec.output / "model.pkl").write_bytes(b"\x80\x04.")
    with pytest.raises(TrainingFailed, match="left no model"):
        collect(spec, params)
    onnx_model(spec.output / "one.onnx")
    torchscript_model(spec.output / "other.ts")
    with pytest.raises(TrainingFailed, match=r"2 models \(one.onnx, other.ts\)"):
        collect(spec, params)


def test_the_script_is_code_and_its_name_is_asked_for(spec: TrainSpec, tmp_path: Path) -> None:
    with pytest.raises(InvalidSpec, match="does not exist"):
        fingerprint(spec)
    prints = set()
    for text in ("pass", "pass  # otherwise"):
        (tmp_path / "train.py").write_text(text)
        prints.add(fingerprint(spec)["run"])
    assert len(prints) == 2


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"trees": 3, "name": "a b"}, ["--trees", "3", "--name", "a b"]),
        ({"fast": True, "slow": False, "none": None}, ["--fast"]),
        ({"sizes": [1, 2]}, ["--sizes", "1", "2"]),
        ({"grid": {"a": 1}}, ["--grid", '{"a": 1}']),
    ],
)
def test_arguments_are_words_as_a_parser_takes_them(arguments: dict[str, Any], words: list[str]) -> None:
    assert ScriptParams("x.py", arguments).command == words
    with pytest.raises(InvalidSpec, match="arguments"):
        ScriptParams.parse({"script": "x.py", "tress": 3})
