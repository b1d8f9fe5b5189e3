"""What a `.keras` file may name; Keras itself is not asked. docs/how-to/your-own-training.md trains and exports one."""

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.flavours import keras_source
from seaway.models.importing.importer import recognized

DENSE = {
    "module": "keras.layers",
    "class_name": "Dense",
    "config": {"activation": "relu", "kernel_initializer": {"module": "keras.initializers", "class_name": "Zeros"}},
    "registered_name": None,
}


def keras_file(file: Path, *layers: dict[str, Any], **more: str) -> Path:
    config = {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "registered_name": "Functional",
        "config": {"layers": list(layers)},
        "compile_config": {"optimizer": {"module": "elsewhere", "class_name": "Adam", "registered_name": "Adam"}},
    }
    with zipfile.ZipFile(file, "w") as written:
        for name, content in {"config.json": json.dumps(config), "metadata.json": "{}", **more}.items():
            written.writestr(name, content)
        written.writestr("model.weights.h5", b"")
    return file


def test_keras_own_layers_pass_and_how_it_was_compiled_does_not_matter(tmp_path: Path) -> None:
    keras_source.inspect(keras_file(tmp_path / "m.keras", DENSE))


HOSTILE = {
    "bytecode": {"module": "keras.layers", "class_name": "Lambda", "config": {}},
    "a lambda": {**DENSE, "config": {"activation": {"class_name": "__lambda__", "config": {"value": "4wEA"}}}},
    "a function": {**DENSE, "config": {"activation": {"module": "os", "class_name": "function", "config": "system"}}},
    "another module": {"module": "os", "class_name": "system", "config": {"command": "true"}},
    "a module of keras that is no layer": {"module": "keras.utils", "class_name": "get_file", "config": {}},
    "a class registered by somebody": {**DENSE, "registered_name": "mine>Dense"},
    "a pickled torch module": {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": {}},
}


@pytest.mark.parametrize("attack", HOSTILE)
def test_what_could_run_code_is_refused_in_one_paragraph(attack: str, tmp_path: Path) -> None:
    hostile = keras_file(tmp_path / "m.keras", DENSE, HOSTILE[attack])
    with pytest.raises(PackageRefused, match="it is refused") as refusal:
        keras_source.inspect(hostile)
    assert "\n" not in str(refusal.value)


def test_files_that_are_none_are_refused(tmp_path: Path) -> None:
    whole = keras_file(tmp_path / "m.keras", DENSE).read_bytes()
    for content in (whole[:-30], b"", b"\x80\x04."):
        (tmp_path / "bad.keras").write_bytes(content)
        with pytest.raises(PackageRefused, match=r"truncated or no \.keras"):
            keras_source.inspect(tmp_path / "bad.keras")
    with pytest.raises(PackageRefused, match=r"run\.py"):
        keras_source.inspect(keras_file(tmp_path / "more.keras", DENSE, **{"assets/run.py": "pass"}))


def test_a_saved_model_of_tensorflow_says_what_to_do_and_an_unknown_kind_which_there_are(tmp_path: Path) -> None:
    (tmp_path / "saved").mkdir()
    with pytest.raises(InvalidSpec, match=r"\.keras"):
        recognized(tmp_path / "saved")
    (tmp_path / "saved" / "saved_model.pb").touch()
    with pytest.raises(PackageRefused, match=r"tf2onnx\.convert"):
        recognized(tmp_path / "saved")
