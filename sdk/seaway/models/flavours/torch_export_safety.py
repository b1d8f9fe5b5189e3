"""Refusal of exported graphs that could run code while they are loaded.

`torch.export.load` (torch 2.13) is not safe by itself on a foreign file. Read in its source, these parts of an archive
run code: tensors and objects marked as pickled, sample inputs (it falls back to a full unpickling), compiled
AOTInductor libraries, the layout of torch 2.7 and older, symbolic expressions (`sympy.sympify` evaluates text), guards
(compiled as Python), node targets (any function below `torch`, `torch.load` among them), and import paths in tree
specifications. `inspect` allows none of them: only tensors as raw bytes and a graph of ATen operators.
"""

import ast
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from seaway.errors import PackageRefused
from seaway.models.flavours.json_objects import objects

GRAPH = "models/model.json"
SAMPLE_INPUTS = "data/sample_inputs/model.pt"
CONFIGS = ("data/weights/model_weights_config.json", "data/constants/model_constants_config.json")
RAW_MEMBERS = re.compile(
    r"archive_format|archive_version|byteorder|\.data/(version|serialization_id)"
    r"|data/(weights/weight|constants/tensor)_\d+"
)
MAX_BYTES = 16 << 30  # unpacked; far above any model that one process serves on a CPU

TARGET = re.compile(
    r"torch\.ops\.aten\.(?!from_file\b)\w+\.\w+"
    r"|_operator\.(getitem|add|sub|mul|truediv|floordiv|mod|neg|pow|eq|ne|lt|le|gt|ge|and_|or_|not_)"
)
TREE_TYPES = {None, "builtins.tuple", "builtins.list", "builtins.dict", "collections.OrderedDict"}
SYMBOL = re.compile(r"[a-z]+\d+")  # s14, u0: what torch.export names a symbolic size
FUNCTIONS = {
    *("Symbol", "Integer", "Add", "Mul", "Pow", "Max", "Min", "Mod", "Eq", "Ne", "Ge", "Le", "Gt", "Lt"),
    *("FloorDiv", "CeilDiv", "PythonMod", "ModularIndexing", "CleanDiv", "IntTrueDiv", "Rational"),
}
EXPRESSION_NODES = (
    *(ast.Expression, ast.Call, ast.Name, ast.Load, ast.Constant, ast.keyword, ast.BinOp, ast.UnaryOp, ast.Compare),
    *(ast.operator, ast.unaryop, ast.cmpop, ast.BoolOp, ast.boolop),
)
SIZE = re.compile(r"L\['\w+'\](\['\w+'\]|\[\d+\])*\.(size|stride)\(\)\[\d+\]")


def inspect(archive: Path) -> dict[str, bytes]:
    """The members of a `.pt2` archive by name (without the archive's root folder), if loading them runs no code.

    Raises:
        PackageRefused: no readable archive, or one that holds anything else than raw tensors and ATen operators.
    """
    members = _members(archive)
    for name in sorted(members.keys() - {GRAPH, SAMPLE_INPUTS, *CONFIGS}):
        if not RAW_MEMBERS.fullmatch(name):
            raise _refusal(archive, f"holds {name!r}, which is neither graph nor raw tensor")
    for name in (GRAPH, SAMPLE_INPUTS, *CONFIGS):
        if name not in members:
            raise _refusal(archive, f"lacks {name!r}")
    for name in CONFIGS:
        _check_config(archive, _parsed(archive, members, name))
    _check_graph(archive, _parsed(archive, members, GRAPH))
    return members


def rewritten(members: dict[str, bytes]) -> io.BytesIO:
    """A clean archive of exactly these members, so that no second reader of the original can find others in it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in members.items():
            archive.writestr(f"model/{name}", content)
    buffer.seek(0)
    return buffer


def _members(archive: Path) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(archive) as opened:
            return _read_all(archive, opened)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError) as error:
        raise _refusal(archive, f"is no readable archive ({error})") from error


def _read_all(archive: Path, opened: zipfile.ZipFile) -> dict[str, bytes]:
    names = [info.filename for info in opened.infolist()]
    if len({name.partition("/")[0] for name in names}) != 1 or len(set(names)) != len(names):
        raise _refusal(archive, "names a member twice or has not exactly one root folder")
    if sum(info.file_size for info in opened.infolist()) > MAX_BYTES:
        raise _refusal(archive, f"unpacks to more than {MAX_BYTES >> 30} GiB")
    return {name.partition("/")[2]: opened.read(name) for name in names}


def _parsed(archive: Path, members: dict[str, bytes], name: str) -> Any:
    try:
        return json.loads(members[name])
    except ValueError as error:
        raise _refusal(archive, f"has broken JSON in {name!r} ({error})") from error


def _check_config(archive: Path, config: Any) -> None:
    for key, value in _pairs(config):
        if key == "use_pickle" and value is not False:
            raise _refusal(archive, "holds a pickled tensor or object")
        if key == "path_name" and not re.fullmatch(r"(weight|tensor)_\d+", str(value)):
            raise _refusal(archive, f"refers to {value!r}, which is no raw tensor")


def _check_graph(archive: Path, graph: Any) -> None:
    for key, value in _pairs(graph):
        if key == "target" and not TARGET.fullmatch(str(value)):
            raise _refusal(archive, f"calls {value!r}, which is no ATen operator")
        if key in ("as_operator", "as_custom_obj", "as_graph", "custom_obj_values") and value:
            raise _refusal(archive, f"holds {key!r}, which is no tensor")
        if key == "expr_str" and not _is_size_expression(str(value)):
            raise _refusal(archive, f"holds {value!r}, which is no arithmetic on sizes")
        if key == "guards_code" and (unsafe := [guard for guard in value if not _is_guard(str(guard))]):
            raise _refusal(archive, f"holds the guard {unsafe[0]!r}, which is more than arithmetic on input sizes")
        if key in ("in_spec", "out_spec") and not _is_plain_tree(str(value)):
            raise _refusal(archive, f"nests its {key} in other types than tuple, list and dict")


def _pairs(value: Any) -> Iterator[tuple[str, Any]]:
    """Every key of every object in a JSON value, with what it holds."""
    return (pair for found in objects(value) for pair in found.items())


def _is_size_expression(text: str) -> bool:
    try:
        tree = ast.parse(text.strip(), mode="eval")
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return all(_is_allowed(node) for node in ast.walk(tree))


def _is_allowed(node: ast.AST) -> bool:
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in FUNCTIONS
    if isinstance(node, ast.Name):
        return node.id in FUNCTIONS or SYMBOL.fullmatch(node.id) is not None
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return SYMBOL.fullmatch(node.value) is not None
    return isinstance(node, EXPRESSION_NODES)


def _is_guard(text: str) -> bool:
    return _is_size_expression(SIZE.sub("s0", text))


def _is_plain_tree(text: str) -> bool:
    try:
        tree = json.loads(text)
    except ValueError:
        return False
    return all(value in TREE_TYPES for key, value in _pairs(tree) if key == "type")


def _refusal(archive: Path, reason: str) -> PackageRefused:
    return PackageRefused(
        f"{archive.name} in {archive.parent} {reason}; loading it could run code, so it is refused. "
        "Export the model with torch.export and plain tensors, and package it anew with seaway.models.package."
    )
