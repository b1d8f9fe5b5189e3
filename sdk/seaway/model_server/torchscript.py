"""The exported graph, made ready to serve: a frozen TorchScript of it.

Reading a torch.export file imports torch's compiler (about 4 s of CPU) and runs it operator by operator from Python;
its TorchScript loads in milliseconds and runs without Python. Made once for each graph, from a verified package: where
the model is packaged, torch is there already and it takes less than a second; a deployment makes what it does not find.
"""

import logging
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import Any

from seaway.models import Signature
from seaway.models.flavours.torch_export import GRAPH_FILE, load_program
from seaway.storage import atomic_path, sha256

SCRIPT_FILE = "model.ts"
TOLERANCE = 1e-5  # absolute and relative, on the sample: float32 sums in another order
ROWS = (1, 2, 5)  # the trace must not have learnt one number of rows by heart

logger = logging.getLogger(__name__)


def kept_script(package: Path, scripts: Path) -> Path | None:
    """The script of a package's graph in the folder `scripts`, made where it is not there yet.

    It is kept by the graph's hash and torch's version, its own SHA-256 beside it; one whose bytes are others by now is
    made anew. None where the graph cannot be scripted, or the model is of another flavour.
    """
    if not (package / GRAPH_FILE).is_file():
        return None
    kept = scripts / f"{sha256(package / GRAPH_FILE)}-torch-{version('torch')}.ts"
    if _intact(kept):
        return kept
    if not compile_graph(package, kept):
        return None
    with atomic_path(_hash_file(kept)) as draft:
        draft.write_text(sha256(kept), encoding="utf-8")
    return kept


def _intact(script: Path) -> bool:
    file = _hash_file(script)
    return script.is_file() and file.is_file() and file.read_text(encoding="utf-8") == sha256(script)


def _hash_file(script: Path) -> Path:
    return script.with_name(f"{script.name}.sha256")


def compile_graph(package: Path, target: Path) -> bool:
    """Write the script to `target`; False where the graph cannot be scripted and is to be served as exported."""
    import torch

    graph: Any = load_program(package / GRAPH_FILE).module()
    graph._forward_pre_hooks.clear()  # torch.export's checks of input shapes, which torch.jit cannot trace
    signature = Signature.read(package)
    try:
        with warnings.catch_warnings(), torch.no_grad():
            warnings.simplefilter("ignore")
            script = torch.jit.freeze(torch.jit.trace(graph, _sample(signature, ROWS[-1]), check_trace=False).eval())
            _check(graph, script, signature)
        with atomic_path(target) as draft:
            torch.jit.save(script, draft)
    except (RuntimeError, AssertionError) as error:
        logger.warning("%s cannot be scripted and is served as exported, slower: %s", package, error)
        return False
    return True


def _sample(signature: Signature, rows: int) -> tuple[Any, ...]:
    import numpy as np
    import torch

    arrays = signature.encode(signature.sample).values()
    return tuple(torch.from_numpy(np.resize(array, (rows, *array.shape[1:]))) for array in arrays)


def _check(graph: Any, script: Any, signature: Signature) -> None:
    import torch

    for rows in ROWS:
        sample = _sample(signature, rows)
        torch.testing.assert_close(script(*sample), graph(*sample), atol=TOLERANCE, rtol=TOLERANCE, equal_nan=True)
