import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from foreign_models import COLUMNS, onnx_model
from onnx import TensorProto, helper, numpy_helper
from seaway.errors import InvalidSpec, PackageRefused
from seaway.models import Signature, TensorSpec, flavours
from seaway.models.flavours import Options

FLAVOUR = flavours.named("onnx")
EXPECTED = 1 / (1 + np.exp(-(2 * np.array(COLUMNS["a"]) - np.array(COLUMNS["b"]))))


def loaded(file: Path, folder: Path, outputs: tuple[str, ...] = (), **constants: object) -> tuple[object, Callable]:  # type: ignore[type-arg]
    folder.mkdir()
    adopted = FLAVOUR.adopt(file, folder, Options(constants=constants))
    FLAVOUR.check(folder)
    specs = tuple(TensorSpec(name, "FP32") for name in outputs or adopted.outputs)
    return adopted, FLAVOUR.load(folder, Signature("m", adopted.inputs, specs, flavour="onnx"), 1)


def test_a_model_answers_by_its_own_numbers(tmp_path: Path) -> None:
    adopted, answer = loaded(onnx_model(tmp_path / "m.onnx"), tmp_path / "out")
    assert adopted.inputs == (TensorSpec("a", "FP32"), TensorSpec("b", "FP32"))
    given = answer([np.array(COLUMNS[name], np.float32)[:, None] for name in "ab"])[0]
    np.testing.assert_allclose(given[:, 0], EXPECTED, atol=1e-6)


def test_rows_move_to_the_front_and_constants_into_the_model(tmp_path: Path) -> None:
    """A state of shape [2, rows, 3] and a scalar rate, as recurrent models have them, also inside a branch."""
    state = helper.make_tensor_value_info("state", TensorProto.FLOAT, [2, "batch", 3])
    rate = helper.make_tensor_value_info("rate", TensorProto.INT64, [])
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["batch", 3])
    after = helper.make_tensor_value_info("after", TensorProto.FLOAT, ["n", "batch", "m"])
    inner = helper.make_tensor_value_info("inner", TensorProto.FLOAT, None)
    branches = {
        name: helper.make_graph([helper.make_node("Add", ["state", second], ["inner"])], name, [], [inner])
        for name, second in (("then_branch", "x"), ("else_branch", "state"))
    }
    limit = numpy_helper.from_array(np.array(8000, np.int64), "limit")
    nodes = [
        helper.make_node("Greater", ["rate", "limit"], ["fast"]),
        helper.make_node("If", ["fast"], ["after"], **branches),
    ]
    made = onnx_model(tmp_path / "m.onnx", nodes=nodes, inputs=[x, state, rate], outputs=[after], initializer=[limit])
    adopted, answer = loaded(made, tmp_path / "out", rate=16000)
    assert [spec.shape for spec in adopted.inputs] == [(-1, 3), (-1, 2, 3)]  # type: ignore[attr-defined]
    given = np.arange(24, dtype=np.float32).reshape(4, 2, 3)
    x_rows = np.full((4, 3), 100, np.float32)
    np.testing.assert_array_equal(answer([x_rows, given])[0], given + 100)


def test_an_input_without_rows_asks_for_a_constant(tmp_path: Path) -> None:
    rate = helper.make_tensor_value_info("rate", TensorProto.INT64, [])
    made = onnx_model(
        tmp_path / "m.onnx", inputs=[rate], nodes=[helper.make_node("Identity", ["rate"], ["probability"])]
    )
    with pytest.raises(InvalidSpec, match="--constant rate=VALUE"):
        FLAVOUR.adopt(made, tmp_path, Options())
    with pytest.raises(InvalidSpec, match="no input 'speed'"):
        FLAVOUR.adopt(made, tmp_path, Options(constants={"speed": 1}))


def test_maps_of_classes_become_an_array_and_their_names(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["p"], axis=1),
        helper.make_node("ZipMap", ["p"], ["map"], domain="ai.onnx.ml", classlabels_strings=["no", "yes"]),
    ]
    output = helper.make_value_info("map", onnx.helper.make_sequence_type_proto(
        helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, None))
    ))  # fmt: skip
    adopted, answer = loaded(onnx_model(tmp_path / "m.onnx", nodes=nodes, outputs=[output]), tmp_path / "out")
    assert adopted.classes == ("no", "yes")  # type: ignore[attr-defined]
    columns = [np.array([[1.0], [2.0]], np.float32)] * 2
    np.testing.assert_array_equal(answer(columns)[0], [[1, 1], [2, 2]])


def changed(change: Callable[[onnx.ModelProto], None]) -> Callable[[Path], None]:
    def write(file: Path) -> None:
        model = onnx.ModelProto.FromString(file.read_bytes())
        change(model)
        file.write_bytes(model.SerializeToString())

    return write


def beside(location: str, **place: str) -> Callable[[onnx.ModelProto], None]:
    def change(model: onnx.ModelProto) -> None:
        tensor = model.graph.initializer[0]
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        for key, value in {"location": location, "length": "8", **place}.items():
            tensor.external_data.add(key=key, value=value)

    return change


def custom(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain, model.graph.node[0].op_type = "evil.ops", "RunCode"


def python_operator(model: onnx.ModelProto) -> None:
    model.graph.node[0].domain, model.graph.node[0].op_type = "com.microsoft", "PythonOp"


def hidden(model: onnx.ModelProto) -> None:
    """The custom operator inside a branch."""
    branch = helper.make_graph([helper.make_node("RunCode", ["z"], ["q"], domain="evil.ops")], "b", [], [])
    model.graph.node.append(helper.make_node("If", ["z"], ["q"], then_branch=branch, else_branch=branch))


def gigantic(model: onnx.ModelProto) -> None:
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 20]


def from_the_future(model: onnx.ModelProto) -> None:
    model.opset_import[0].version = 999


HOSTILE = {
    "traversal": (changed(beside("../../etc/passwd")), "no file beside it"),
    "absolute": (changed(beside("/etc/passwd")), "no file beside it"),
    "missing": (changed(beside("weights.bin")), "missing or a link"),
    "beyond": (changed(beside("data.bin", offset="99")), "beyond the end"),
    "negative": (changed(beside("data.bin", offset="-8")), "beyond the end"),
    "no number": (changed(beside("data.bin", offset="x")), "no numbers"),
    "custom": (changed(custom), "evil.ops"),
    "python": (changed(python_operator), "PythonOp"),
    "hidden": (changed(hidden), "RunCode"),
    "gigantic": (changed(gigantic), "do not fill"),
    "future": (changed(from_the_future), "opset 999"),
    "truncated": (lambda file: file.write_bytes(file.read_bytes()[:60]), "truncated or no ONNX"),
    "empty": (lambda file: file.write_bytes(b""), "truncated or no ONNX"),
    "pickle": (lambda file: file.write_bytes(b"\x80\x04cos\nsystem\n."), "truncated or no ONNX"),
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_hostile_files_are_refused_in_one_paragraph(attack: str, tmp_path: Path) -> None:
    write, reason = HOSTILE[attack]
    file = onnx_model(tmp_path / "m.onnx")
    (tmp_path / "data.bin").write_bytes(bytes(8))
    write(file)
    (tmp_path / "out").mkdir()
    with pytest.raises(PackageRefused, match=reason) as refusal:
        FLAVOUR.adopt(file, tmp_path / "out", Options())
    assert "\n" not in str(refusal.value)
    assert not list((tmp_path / "out").iterdir())


def test_numbers_in_a_file_beside_it_are_taken_in_and_a_link_is_not(tmp_path: Path) -> None:
    file = onnx_model(tmp_path / "m.onnx")
    (tmp_path / "data.bin").write_bytes(np.array([2, -1], np.float32).tobytes())
    changed(beside("data.bin"))(file)
    _, answer = loaded(file, tmp_path / "out")
    given = answer([np.array(COLUMNS[name], np.float32)[:, None] for name in "ab"])[0]
    np.testing.assert_allclose(given[:, 0], EXPECTED, atol=1e-6)
    (tmp_path / "data.bin").rename(tmp_path / "kept.bin")
    (tmp_path / "data.bin").symlink_to(tmp_path / "kept.bin")
    with pytest.raises(PackageRefused, match="link"):
        FLAVOUR.adopt(file, tmp_path, Options())


def test_another_signature_than_the_graph_s_is_refused(tmp_path: Path) -> None:
    onnx_model(tmp_path / "model.onnx")
    signature = Signature("m", (TensorSpec("a", "FP32"),), (TensorSpec("probability", "FP32"),), flavour="onnx")
    with pytest.raises(PackageRefused, match="write the signature of this graph"):
        FLAVOUR.load(tmp_path, signature, None)


def test_the_flavour_is_in_the_signature_and_a_stranger_is_refused(tmp_path: Path) -> None:
    signature = Signature("m", (TensorSpec("a", "FP32"),), (TensorSpec("p", "FP32"),), flavour="onnx", strings="text")
    assert Signature.from_json(json.loads(json.dumps(signature.to_json()))) == signature
    with pytest.raises(InvalidSpec, match="No Flavour backend 'nope'"):
        flavours.named("nope")
