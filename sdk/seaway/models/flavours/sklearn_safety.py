"""Refusal of skops files that hold more than scikit-learn's own estimators and arrays.

A skops file is a zip of a JSON schema and arrays without objects; to load one is to make what the schema names. skops
refuses what it does not trust, and trusts scikit-learn's estimators, NumPy's and SciPy's types. We hold it to less: no
functions, no methods, no operators, and beyond what it trusts only the compiled parts of scikit-learn's own models.
"""

import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.json_objects import objects
from seaway.models.flavours.required import required

SCHEMA = "schema.json"
MAX_BYTES = 4 << 30
LOADERS = {
    *("DictNode", "JsonNode", "ListNode", "TupleNode", "SetNode", "SliceNode", "TypeNode", "ObjectNode", "LossNode"),
    *("NdArrayNode", "SparseMatrixNode", "MaskedArrayNode", "RandomStateNode", "RandomGeneratorNode", "TreeNode"),
    *("CachedNode", "DefaultDictNode", "DatetimeNode", "DtypeNode"),
}
COMPILED = {
    "sklearn.tree._tree.Tree",
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    *(f"sklearn.neighbors._{tree}" for tree in ("kd_tree.KDTree", "ball_tree.BallTree")),
    *(f"sklearn.metrics._dist_metrics.{kind}Distance64" for kind in ("Euclidean", "Manhattan", "Minkowski")),
}


def inspect(file: Path) -> None:
    """Raises: PackageRefused: no readable file, or one that names anything else; InvalidSpec: skops is missing."""
    with required("sklearn"):
        import skops.io
    try:
        _check_schema(file, _schema(file))
        strange = set(skops.io.get_untrusted_types(file=file)) - COMPILED
    except PackageRefused:
        raise
    except Exception as error:  # skops raises anything on a broken file
        raise _refusal(file, f"is truncated or no skops file ({' '.join(str(error).split())[:200]})") from error
    if strange:
        raise _refusal(file, f"holds {', '.join(sorted(strange))[:300]}, which is none of scikit-learn's models")


def _schema(file: Path) -> Any:
    with zipfile.ZipFile(file) as opened:
        infos = opened.infolist()
        if sum(info.file_size for info in infos) > MAX_BYTES:
            raise _refusal(file, f"unpacks to more than {MAX_BYTES >> 30} GiB")
        for info in infos:
            if info.filename != SCHEMA and not (info.filename.endswith((".npy", ".npz")) and "/" not in info.filename):
                raise _refusal(file, f"holds {info.filename[:120]!r}, which skops does not write")
        return json.loads(opened.read(SCHEMA))


def _check_schema(file: Path, schema: Any) -> None:
    for node in objects(schema):
        if "__loader__" in node and node["__loader__"] not in LOADERS:
            raise _refusal(file, f"holds a {str(node['__loader__'])[:80]}, which could call something")


def check_trees(file: Path, estimator: Any) -> None:
    """Branches lead to nodes of their own tree: compiled code follows them without looking. Raises: PackageRefused."""
    for tree in _trees(estimator):
        nodes = tree.nodes if hasattr(tree, "nodes") else tree.__getstate__()["nodes"]
        left, right = [name for name in nodes.dtype.names if name.startswith(("left", "right"))]
        if max(nodes[left].max(initial=-1), nodes[right].max(initial=-1)) >= len(nodes):
            raise _refusal(file, "has a tree whose branches lead out of it")


def _trees(estimator: Any) -> Iterator[Any]:
    pending, seen = [estimator], set[int]()
    while pending:
        current = pending.pop()
        if id(current) in seen:
            continue
        seen.add(id(current))
        if type(current).__name__ in ("Tree", "TreePredictor"):
            yield current
        elif isinstance(current, (list, tuple, set)):
            pending.extend(current)
        elif isinstance(current, dict):
            pending.extend(current.values())
        elif getattr(getattr(current, "dtype", None), "kind", "") == "O":
            pending.extend(current.ravel().tolist())
        elif type(current).__module__.startswith("sklearn."):
            pending.extend(vars(current).values() if hasattr(current, "__dict__") else [])


def _refusal(file: Path, reason: str) -> PackageRefused:
    return PackageRefused(
        f"{file.name} in {file.parent} {reason}; loading it could run code, so it is refused. Write a fitted "
        "scikit-learn estimator by skops.io.dump; own functions and classes go before or after the model."
    )
