"""Refusal of TorchScript archives that could do more than compute when they are loaded or called.

`torch.jit.load` does not use Python's pickle: torch's own reader builds tensors and TorchScript classes. But an archive
also holds source text, which is compiled, and whose `__setstate__` runs while it is loaded; and TorchScript has
operators that write files, map them, or call other machines. So, before torch sees it: the members are those of an
archive, the pickles import TorchScript's own names only, and the source calls no operator beyond computing.
"""

import pickletools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

from seaway.errors import PackageRefused

MAX_BYTES = 16 << 30
MEMBERS = re.compile(
    r"data\.pkl|constants\.pkl|version|byteorder|\.format_version|\.storage_alignment|\.data/(version|serialization_id)"
    r"|(data|constants)/\d+|code/[\w/.]+\.py(\.debug_pkl)?"
)
IMPORTS = re.compile(
    r"__torch__(\.\w+)+|collections OrderedDict|torch(\._utils)? \w*([Ss]torage|_rebuild_tensor_v2|_rebuild_parameter)"
    r"|torch\.jit\._pickle (build_\w+|restore_type_tag)|torch device"
)
NAMESPACES = {"aten", "prim", "quantized", "torchvision"}
OPERATOR = re.compile(r"\bops\s*\.\s*(\w+)\s*\.\s*(\w+)")
REACHING = re.compile(
    r"\b(torch|ops\s*\.\s*(aten|prim))\s*\.\s*"
    r"(save|load|_?from_file|rpc_\w+|fork|_distributed\w*|classes|hub|package|_C)\b|__torch__\s*\.\s*torch\s*\.\s*classes"
)


def inspect(archive: Path) -> None:
    """Raises: PackageRefused: no readable archive, or one that holds anything else than a computation."""
    try:
        with zipfile.ZipFile(archive) as opened:
            _inspect(archive, opened)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, RuntimeError, OSError) as error:
        raise _refusal(archive, f"is truncated or no TorchScript archive ({error})") from error


def _inspect(archive: Path, opened: zipfile.ZipFile) -> None:
    names = [info.filename for info in opened.infolist()]
    if len({name.partition("/")[0] for name in names}) != 1 or len(set(names)) != len(names):
        raise _refusal(archive, "names a member twice or has not exactly one root folder")
    if sum(info.file_size for info in opened.infolist()) > MAX_BYTES:
        raise _refusal(archive, f"unpacks to more than {MAX_BYTES >> 30} GiB")
    members = {name.partition("/")[2]: name for name in names}
    if not {"data.pkl", "constants.pkl"} <= members.keys():
        raise _refusal(archive, "is no TorchScript archive: it lacks data.pkl or constants.pkl")
    for member, name in members.items():
        if not MEMBERS.fullmatch(member) or ".." in member:
            raise _refusal(archive, f"holds {member[:120]!r}, which TorchScript does not write")
        if member.endswith((".pkl", "_pkl")):
            _check_pickle(archive, member, opened.read(name))
        elif member.endswith(".py"):
            _check_source(archive, member, opened.read(name))


def _check_pickle(archive: Path, member: str, content: bytes) -> None:
    for imported in _imports(archive, member, content):
        if not IMPORTS.fullmatch(imported):
            raise _refusal(archive, f"has a pickle, {member}, that asks for {imported[:120]!r}")


def _imports(archive: Path, member: str, content: bytes) -> Iterator[str]:
    """`module name` of what a pickle imports; TorchScript's own classes are named by their module alone."""
    try:
        for operation, argument, _ in pickletools.genops(content):
            if operation.name == "GLOBAL":
                module, _, name = str(argument).partition(" ")
                yield f"{module}.{name}" if module.startswith("__torch__") else f"{module} {name}"
            elif operation.name in ("STACK_GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "OBJ", "NEWOBJ_EX"):
                yield operation.name
    except ValueError as error:
        raise _refusal(archive, f"has a broken pickle, {member} ({error})") from error


def _check_source(archive: Path, member: str, content: bytes) -> None:
    source = content.decode("utf-8", "replace")
    if found := REACHING.search(source):
        raise _refusal(archive, f"calls {found[0]!r} in {member}, which reaches beyond the model")
    for namespace, name in OPERATOR.findall(source):
        if namespace not in NAMESPACES:
            raise _refusal(archive, f"calls {namespace}.{name} in {member}, which is no operator of torch")


def _refusal(archive: Path, reason: str) -> PackageRefused:
    return PackageRefused(
        f"{archive.name} in {archive.parent} {reason}. Loading or calling it could do more than compute, so it is "
        "refused; write it anew with torch.jit.save, or better with torch.export.save."
    )
