"""Models that Seaway did not train: made packages, proved, refused, and answered by the servers' handler."""

import importlib.util
import json
import logging
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from foreign_models import COLUMNS, MODELS, onnx_model
from onnx import TensorProto, helper, numpy_helper
from seaway import models
from seaway.cli.app import app
from seaway.errors import InvalidSpec, PackageRefused
from seaway.model_server.handler import OpenInferenceHandler
from seaway.models.importing import ImportSpec, Limits, import_model
from typer.testing import CliRunner

HTML = (
    b"<!DOCTYPE html>\n<html lang='en'><head><title>A page</title></head><body><h1>Head</h1><p>Text</p></body></html>\n"
)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> models.Keys:
    return models.signing_keys(tmp_path_factory.mktemp("keys"))


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    """A handler sets up its whole process."""
    threads, level = torch.get_num_threads(), logging.getLogger().level
    yield
    torch.set_num_threads(threads)
    torch.set_grad_enabled(True)
    logging.getLogger().setLevel(level)


@pytest.mark.parametrize("flavour", MODELS)
def test_a_model_of_each_flavour_is_packed_and_its_handler_answers_as_this_process_does(
    flavour: str, keys: models.Keys, tmp_path: Path
) -> None:
    name, write = MODELS[flavour]
    spec = ImportSpec(write(tmp_path / name), "m", sample=COLUMNS, task="binary", label="y")
    made = import_model(spec, tmp_path / "store" / "package", keys.private)
    assert models.verify(made.path, keys.public) == made
    assert (made.signature.flavour, made.signature.target.task) == (flavour, "binary")  # type: ignore[union-attr]
    assert [one.name for one in made.signature.inputs] == ["a", "b"]
    assert made.lineage.parameters["imported"] == name
    here = models.load(made.path, threads=1).predict(COLUMNS)[made.signature.prediction]
    assert np.array_equal(here[:, -1] > 0.5, 2 * np.array(COLUMNS["a"]) > np.array(COLUMNS["b"]))
    np.testing.assert_array_equal(served(made, COLUMNS), here)
    alone = [served(made, {key: [values[row]] for key, values in COLUMNS.items()}) for row in range(len(here))]
    np.testing.assert_allclose(np.concatenate(alone), here, atol=1e-6)


def served(made: models.Package, columns: dict[str, list[float]]) -> Any:
    """What the handler of a server answers for the package."""
    (made.path.parent / "version").write_text("v1")
    handler = OpenInferenceHandler()
    context = SimpleNamespace(system_properties={"model_dir": str(made.path.parent)}, model_name="m")
    handler.initialize(context)
    count = len(columns["a"])
    inputs = [{"name": key, "datatype": "FP32", "shape": [count, 1], "data": values} for key, values in columns.items()]
    seen = SimpleNamespace(
        get_request_header=lambda index, name: None,
        set_response_content_type=lambda index, value: None,
        set_response_status=lambda code, idx: pytest.fail(f"refused: {code}"),
    )
    answer = json.loads(handler.handle([{"body": json.dumps({"inputs": inputs}).encode()}], seen)[0])
    output = next(one for one in answer["outputs"] if one["name"] == made.signature.prediction)
    assert handler.metadata()["platform"] == models.flavours.of(made.signature).platform
    return np.array(output["data"]).reshape(output["shape"]).astype(handler.signature.outputs[0].dtype)


def installed(package: str, file: str) -> Path:
    """A file of a wheel, which is not imported."""
    found = importlib.util.find_spec(package)
    assert found
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0]) / file


def test_magika_s_model_out_of_its_wheel_tells_python_from_html(keys: models.Keys, tmp_path: Path) -> None:
    folder = installed("magika", "models/standard_v3_3")
    labels = json.loads((folder / "config.min.json").read_text())["target_labels_space"]
    made = import_model(ImportSpec(folder / "model.onnx", "filetype"), tmp_path / "package", keys.private)
    assert made.signature.inputs == (models.TensorSpec("bytes", "INT32", (-1, 2048)),)
    texts = [b"import os\n\ndef main() -> None:\n    print(os.getcwd())\n\n\nmain()\n" * 20, HTML * 9]
    rows = [[*text[:1024].ljust(1024, b"\0"), *text[-1024:].rjust(1024, b"\0")] for text in texts]
    answer = models.load(made.path).predict({"bytes": rows})["target_label"]
    assert [labels[place] for place in answer.argmax(1)] == ["python", "html"]


def test_silero_s_voice_detector_keeps_its_state_a_row(keys: models.Keys, tmp_path: Path) -> None:
    """Its state has rows as the second size, and its rate is a single value: both are seen to."""
    source = installed("silero_vad", "data/silero_vad_16k_op15.onnx")
    with pytest.raises(InvalidSpec, match="--constant sr=VALUE"):
        import_model(ImportSpec(source, "vad"), tmp_path / "package", keys.private)
    sample = {"input": np.zeros((1, 576)).tolist(), "state": np.zeros((1, 2, 128)).tolist()}
    spec = ImportSpec(source, "vad", sample=sample, constants={"sr": 16000})
    vad = models.load(import_model(spec, tmp_path / "package", keys.private).path)
    original = onnxruntime.InferenceSession(source)
    heard = np.random.default_rng(0).normal(scale=0.3, size=(4, 3, 576)).astype(np.float32)
    ours, theirs = (np.zeros(shape, np.float32) for shape in ((3, 2, 128), (2, 3, 128)))
    for frames in heard:
        answer = vad.predict({"input": frames, "state": ours})
        there, theirs = original.run(None, {"input": frames, "state": theirs, "sr": np.array(16000)})
        ours = answer["stateN"]
        np.testing.assert_array_equal(answer["output"], there)
        np.testing.assert_array_equal(ours, theirs.transpose(1, 0, 2))
    assert len(np.unique(ours)) > 100


def endless_memory(file: Path) -> Path:
    """Nothing in the file is large: it makes a petabyte where it runs."""
    shape = numpy_helper.from_array(np.array([1 << 30, 1 << 10], np.int64), "shape")
    nodes = [
        helper.make_node("ConstantOfShape", ["shape"], ["all"]),
        helper.make_node("ReduceSum", ["all"], ["sum"], keepdims=0),
        helper.make_node("Add", ["a", "sum"], ["probability"]),
    ]
    column = helper.make_tensor_value_info("a", TensorProto.FLOAT, ["rows", 1])
    return onnx_model(file, nodes=nodes, inputs=[column], initializer=[shape])


def many_trees(file: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    text = json.loads(MODELS["xgboost"][1](file).read_text())
    change(text)
    file.write_text(json.dumps(text))
    return file


def astray(model: dict[str, Any]) -> None:
    tree = model["learner"]["gradient_booster"]["model"]["trees"][0]
    tree["left_children"] = [99_999_999] * len(tree["left_children"])


def foreign_code(file: Path) -> Path:
    """A skops file that names a function of the system."""
    MODELS["sklearn"][1](file)
    with zipfile.ZipFile(file) as opened:
        members = {name: opened.read(name) for name in opened.namelist()}
    schema = json.loads(members["schema.json"])
    schema["content"]["evil"] = {"__class__": "system", "__module__": "os", "__loader__": "FunctionNode", "content": 1}
    with zipfile.ZipFile(file, "w") as written:
        for name, content in members.items():
            written.writestr(name, json.dumps(schema) if name == "schema.json" else content)
    return file


def written(content: bytes) -> Callable[[Path], Path]:
    def write(file: Path) -> Path:
        file.write_bytes(content)
        return file

    return write


HOSTILE: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "a petabyte": ("m.onnx", endless_memory),
    "branches that lead astray": ("m.json", lambda file: many_trees(file, astray)),
    "a function in skops": ("m.skops", foreign_code),
    "a truncated skops": ("m.skops", written(b"PK\x03\x04")),
    "a truncated LightGBM": ("m.txt", written(b"tree\nversion=v4\nnum_class=1\n")),
    "a hostile LightGBM": ("m.txt", written(b"tree\nversion=v4\nnum_leaves=999999999\nTree=0\nend of trees\n")),
    "a truncated UBJSON": ("m.ubj", written(b"{L\0\0\0\0\0\0\0\7learner{")),
    "a pickle": ("m.pkl", written(b"\x80\x04cos\nsystem\n.")),
    "a pickle as ONNX": ("m.onnx", written(b"\x80\x04cos\nsystem\n.")),
    "a pickle as UBJSON": ("m.ubj", written(b"\x80\x04cos\nsystem\n.")),
    "nothing": ("m.onnx", lambda file: file),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_files_are_refused_in_one_paragraph_and_nothing_is_left(
    attack: str, keys: models.Keys, tmp_path: Path
) -> None:
    name, write = HOSTILE[attack]
    spec = ImportSpec(write(tmp_path / name), "evil", limits=Limits(memory=6 << 30, seconds=120))
    with pytest.raises(PackageRefused) as refusal:
        import_model(spec, tmp_path / "package", keys.private)
    assert "\n" not in str(refusal.value)
    assert not (tmp_path / "package").exists()


def test_another_digest_than_was_said_is_refused(keys: models.Keys, tmp_path: Path) -> None:
    spec = ImportSpec(onnx_model(tmp_path / "m.onnx"), "m", digest="0" * 64)
    with pytest.raises(PackageRefused, match="damaged, or another file"):
        import_model(spec, tmp_path / "package", keys.private)


def test_the_command_tells_what_a_model_takes_and_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / "home"))
    onnx_model(tmp_path / "churn.onnx")
    (tmp_path / "rows.csv").write_text("a,b,churned\n1.5,2,1\n0.5,,0\n")
    command = ["import-model", str(tmp_path / "churn.onnx"), "-p", str(tmp_path / "package")]
    said = ["--sample", str(tmp_path / "rows.csv"), "--task", "binary", "--label", "churned"]
    refused = CliRunner().invoke(app, [*command, *said])
    assert isinstance(refused.exception, PackageRefused)
    assert "NaN or infinite" in str(refused.exception)
    (tmp_path / "rows.csv").write_text("a,b,churned\n1.5,2,1\n0.5,1,0\n")
    told = CliRunner().invoke(app, [*command, *said])
    assert told.exit_code == 0, told.output
    assert "churn, onnx: proved on its sample" in told.output
    assert "probability FP32 [-1, 1]" in told.output
