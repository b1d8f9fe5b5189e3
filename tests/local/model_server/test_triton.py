"""Triton's own schema, which its client brings, reads the configuration of a model repository."""

import subprocess
import sys
from pathlib import Path

from seaway.model_server import own_packages
from seaway.model_server.mlserver.server import REQUIREMENTS
from seaway.model_server.triton.repository import ONNX, config
from seaway.models import Signature, TensorSpec
from seaway.models.signature import TEXT

CHECK = """
import sys
from google.protobuf import text_format
from tritonclient.grpc.model_config_pb2 import ModelConfig
config = text_format.Parse(sys.stdin.read(), ModelConfig())
print(config.name, config.max_batch_size, [(one.name, one.data_type, list(one.dims)) for one in config.input])
"""


def test_the_configuration_is_of_tritons_own_schema(tmp_path: Path) -> None:
    inputs = (TensorSpec('o"dd', "BYTES"), TensorSpec("b", "UINT8", (-1, 3, 224, 224)), TensorSpec("c", "BOOL"))
    text = config('na"me', Signature("linear", inputs, (TensorSpec("probability", "FP32"),), strings=TEXT), ONNX, 8, 2)
    environment = own_packages.environment(REQUIREMENTS, tmp_path)  # which bring Triton's client, and so its schema
    done = subprocess.run(
        [sys.executable, "-c", CHECK], input=text, text=True, capture_output=True, check=True, env=environment
    )
    assert done.stdout.strip() == "na\"me 8 [('o\"dd', 13, [1]), ('b', 2, [3, 224, 224]), ('c', 1, [1])]"
