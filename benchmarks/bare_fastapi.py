"""A model behind FastAPI as tutorials write it: a pydantic model of one row, the exported graph called for it."""

import sys
from pathlib import Path
from typing import Any

import torch
import uvicorn
from fastapi import FastAPI
from pydantic import create_model
from seaway.models import ExportedModel

TYPES: dict[str, type] = {"BYTES": str, "FP32": float}


def application(package: Path) -> FastAPI:
    """`POST /predict` with an object of one value an input."""
    model = ExportedModel.load(package)
    fields: dict[str, Any] = {spec.name: (TYPES[spec.datatype], ...) for spec in model.signature.inputs}
    row_of = create_model("Row", **fields)
    app = FastAPI()

    def predict(row: Any) -> dict[str, float]:
        arrays = model.signature.encode({name: [[value]] for name, value in row.model_dump().items()})
        with torch.inference_mode():
            return {"probability": float(model.graph(*map(torch.from_numpy, arrays.values())))}

    predict.__annotations__["row"] = row_of
    app.post("/predict")(predict)
    return app


if __name__ == "__main__":
    torch.set_num_threads(1)
    uvicorn.run(application(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), log_level="warning")
