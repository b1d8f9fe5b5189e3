"""Models that Seaway did not train, each in its own format, made in a moment: y = 1 if 2a - b > 0."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

COLUMNS = {"a": [0.5, -0.25, 2.0, 0.0, -3.0, 1.5], "b": [0.1, 0.3, -1.0, 2.0, 1.0, 0.9]}


def rows(count: int = 200) -> tuple[np.ndarray, np.ndarray]:
    """Numbers [count, 2], and labels 0 and 1."""
    x = np.random.default_rng(3).normal(size=(count, 2))
    return x, (2 * x[:, 0] - x[:, 1] > 0).astype(int)


def onnx_model(file: Path, **changes: object) -> Path:
    """p = sigmoid(2a - b) of the columns a and b; `changes` are of what onnx.helper makes."""
    from onnx import TensorProto, helper, numpy_helper

    column = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["rows", 1]) for name in COLUMNS]
    weight = numpy_helper.from_array(np.array([[2.0], [-1.0]], np.float32), "weight")
    nodes = [
        helper.make_node("Concat", ["a", "b"], ["x"], axis=1),
        helper.make_node("MatMul", ["x", "weight"], ["z"]),
        helper.make_node("Sigmoid", ["z"], ["probability"]),
    ]
    output = helper.make_tensor_value_info("probability", TensorProto.FLOAT, ["rows", 1])
    made = {"nodes": nodes, "inputs": column, "outputs": [output], "initializer": [weight]} | changes
    graph = helper.make_graph(made["nodes"], "linear", made["inputs"], made["outputs"], made["initializer"])
    opsets = [helper.make_opsetid("", int(made.get("opset", 17)))]
    file.write_bytes(helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString())
    return file


def torchscript_model(file: Path) -> Path:
    import torch

    class Linear(torch.nn.Module):
        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(2 * a - b)

    torch.jit.script(Linear()).save(file)
    return file


def exported_model(file: Path) -> Path:
    import torch

    class Linear(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor([2.0, -1.0]))

        def forward(self, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
            return torch.sigmoid(self.weight[0] * a + self.weight[1] * b)

    size = torch.export.Dim("rows", min=1)
    example = (torch.zeros(2, 1), torch.zeros(2, 1))
    torch.export.save(torch.export.export(Linear(), example, dynamic_shapes=({0: size}, {0: size})), file)
    return file


def skops_model(file: Path) -> Path:
    import pandas as pd
    import skops.io
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    x, y = rows()
    model = make_pipeline(StandardScaler(), RandomForestClassifier(5, random_state=0))
    skops.io.dump(model.fit(pd.DataFrame(x, columns=list(COLUMNS)), y), file)
    return file


def xgboost_model(file: Path) -> Path:
    import xgboost

    x, y = rows()
    data = xgboost.DMatrix(x, y, feature_names=list(COLUMNS))
    xgboost.train({"objective": "binary:logistic", "max_depth": 3, "nthread": 1}, data, 5).save_model(file)
    return file


def lightgbm_model(file: Path) -> Path:
    import lightgbm

    x, y = rows()
    data = lightgbm.Dataset(x, y, feature_name=list(COLUMNS))
    lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 5).save_model(file)
    return file


MODELS: dict[str, tuple[str, Callable[[Path], Path]]] = {
    "onnx": ("model.onnx", onnx_model),
    "torchscript": ("scripted.pt", torchscript_model),
    "torch_export": ("exported.pt2", exported_model),
    "sklearn": ("forest.skops", skops_model),
    "xgboost": ("trees.json", xgboost_model),
    "lightgbm": ("trees.txt", lightgbm_model),
}
