"""A handler as TorchServe's documentation writes them: BaseHandler's steps, the exported graph called eagerly."""

import json
from pathlib import Path

import numpy as np
import torch
from seaway.models import ExportedModel
from ts.torch_handler.base_handler import BaseHandler


class EagerHandler(BaseHandler):
    """Preprocess, inference, postprocess; everything else is BaseHandler's."""

    def initialize(self, context):
        self.context = context
        self.manifest = context.manifest
        model = ExportedModel.load(Path(context.system_properties["model_dir"]) / "package")
        self.model, self.signature = model.graph, model.signature
        self.initialized = True

    def preprocess(self, data):
        requests = [json.loads(request["body"]) for request in data]
        self.rows = [len(request["inputs"][0]["data"]) for request in requests]
        columns = {}
        for spec in self.signature.inputs:
            tensors = [next(t for t in request["inputs"] if t["name"] == spec.name) for request in requests]
            columns[spec.name] = np.concatenate([np.array(t["data"], object).reshape(t["shape"]) for t in tensors])
        return [torch.from_numpy(array) for array in self.signature.encode(columns).values()]

    def inference(self, data, *args, **kwargs):
        with torch.inference_mode():
            return self.model(*data)

    def postprocess(self, data):
        tensors = data if isinstance(data, torch.Tensor) else data[0]
        name = self.signature.outputs[0].name
        return [
            json.dumps(
                {
                    "outputs": [
                        {"name": name, "shape": list(part.shape), "datatype": "FP32", "data": part.flatten().tolist()}
                    ]
                }
            )
            for part in tensors.split(self.rows)
        ]
