"""Placeholders for CUDA's large libraries, so that a test image for a CPU need not carry them.

PyTorch's wheel for GPUs is linked to CUDA's mathematics (1.9 GB): without a file of each name, with each function that
PyTorch refers to, `import torch` fails. On a CPU none of them is ever called. A placeholder has the name, the symbol
versions and the functions, and each function ends the process: nothing is computed by one unnoticed.
"""

import shutil
import subprocess
import tempfile
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

LARGE = 10_000_000  # bytes; smaller ones, such as the CUDA runtime that tells "no GPU", stay as they are
PROGRAMS = ("gcc", "readelf")
UNDEFINED = "UND"


def can_be_made() -> bool:
    """Whether this machine has what it takes."""
    return all(map(shutil.which, PROGRAMS))


def referred(libraries: Iterable[Path]) -> frozenset[str]:
    """The functions, as `name@version`, that these libraries expect elsewhere."""
    return frozenset(name for library in libraries for name, section in _symbols(library) if section == UNDEFINED)


def placeholder(library: Path, wanted: frozenset[str]) -> bytes:
    """A shared object that stands for `library`, with the functions of it that are `wanted`."""
    versions: dict[str, list[str]] = defaultdict(list)
    for symbol, section in _symbols(library):
        if section != UNDEFINED and symbol in wanted:
            name, _, version = symbol.partition("@")
            versions[version].append(name)
    with tempfile.TemporaryDirectory(prefix="seaway-") as folder:
        return _compiled(library.name, versions, Path(folder))


def _compiled(name: str, versions: dict[str, list[str]], folder: Path) -> bytes:
    functions = sorted({function for functions in versions.values() for function in functions})
    source = "".join(f"void {function}(void) {{ __builtin_trap(); }}\n" for function in functions)
    (folder / "functions.c").write_text(source or "typedef int nothing;\n")
    exported = "".join(
        f"{version} {{ global: {' '.join(f'{f};' for f in fs)} }};\n" for version, fs in versions.items()
    )
    (folder / "versions").write_text(exported)
    options = [f"-Wl,-soname,{name}", *([f"-Wl,--version-script={folder}/versions"] if any(versions) else [])]
    command = ["gcc", "-w", "-shared", "-fPIC", "-fno-builtin", *options, "-o", name, "functions.c"]
    subprocess.run(command, cwd=folder, check=True)
    return (folder / name).read_bytes()


def _symbols(library: Path) -> Iterable[tuple[str, str]]:
    command = ["readelf", "--dyn-syms", "--wide", str(library)]
    for line in subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines():
        fields = line.split()
        if len(fields) >= 8 and fields[0].endswith(":"):
            yield fields[7].replace("@@", "@"), fields[6]
