"""Images for cluster tests, by name.

On a test cluster that a tool (`SEAWAY_CLUSTER_TOOL`) imports root file systems into, they are built here, from the
same lists as images/Dockerfile and with the packages of this environment. On any other cluster they are named by
`SEAWAY_TEST_TRAINER_IMAGE`, its siblings and `SEAWAY_TEST_IMAGE`; where neither is there, tests skip with the reason.
"""

import compileall
import fcntl
import fnmatch
import functools
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import Distribution
from importlib.util import cache_from_source
from pathlib import Path
from tempfile import TemporaryDirectory

import placeholders
import pytest
from seaway.model_server import own_packages

from tools.image_packages import closure, listed

PROJECT = Path(__file__).parents[3]
CACHE = Path.home() / ".cache" / "seaway-images"
DEBIAN = "bookworm"  # its python3 is 3.11, as the project's
SITE = "opt/seaway/lib/python3.11/site-packages"
# What a CPU never loads: cuDNN's engines, the compiler of GPU kernels, device code, profiling, headers.
UNUSED = (
    "triton/*", "nvidia/*/include/*", "nvidia/cudnn/lib/libcudnn_*", "nvidia/cu13/bin/*", "nvidia/cu13/nvvm/*",
    "nvidia/cu13/lib/libnvrtc.alt*", "nvidia/cu13/lib/libcusolverMg*", "nvidia/cu13/lib/libnvperf*", "*.a",
    "nvidia/nvshmem/lib/*.bc", "nvidia/nvshmem/lib/nvshmem_*", "torch/include/*",
)  # fmt: skip
KEPT = 2  # tar files of a layer; another process may still import the one before
RECIPE = 2  # another number builds every layer anew
REFUSED = ("fastapi", "psutil", "starlette")  # as images/Dockerfile has it
CUDA = ("nvidia/*.so", "nvidia/*.so.*")  # large ones of these become placeholders


def tiny_image() -> str:
    """A shell and the usual commands (busybox), static."""
    if named := os.environ.get("SEAWAY_TEST_IMAGE"):
        return named
    busybox = shutil.which("busybox")
    if not busybox:
        pytest.skip("busybox is missing (Debian: busybox-static); or set SEAWAY_TEST_IMAGE to an image with a shell")
    return _imported("docker.io/seaway/tiny", [_layer("tiny", _file_key(Path(busybox)), _write_busybox(Path(busybox)))])


def python_image() -> str:
    """Debian's Python 3.11 without packages."""
    if named := os.environ.get("SEAWAY_TEST_TRAINER_IMAGE"):
        return named
    return _imported("docker.io/seaway/python", [_layer("debian", DEBIAN, _write_debian)])


def trainer_image() -> str:
    """Target `trainer` of images/Dockerfile: Debian's Python 3.11, torch, and Seaway as it is in this tree."""
    if named := os.environ.get("SEAWAY_TEST_TRAINER_IMAGE"):
        return named
    return _imported("docker.io/seaway/trainer", python_layers("trainer"))


def server_image() -> str:
    """Target `server` of images/Dockerfile: TorchServe, its Java runtime, Envoy, torch, and Seaway as it is here."""
    if named := os.environ.get("SEAWAY_TEST_SERVER_IMAGE"):
        return named
    return _imported("docker.io/seaway/server", python_layers("server"))


def servers_image() -> str:
    """Target `servers` of images/Dockerfile: the server image, with the packages of other servers in /opt/servers."""
    if named := os.environ.get("SEAWAY_TEST_SERVERS_IMAGE"):
        return named
    return _imported("docker.io/seaway/servers", [*python_layers("server"), servers_layer()])


def servers_layer() -> Path:
    """Packages that stand before the server image's, a folder a server: what is listed, and all that it requires."""
    lists = [PROJECT / "sdk/seaway/model_server" / name / "requirements.txt" for name in ("kserve", "mlserver")]

    def write(tar: tarfile.TarFile) -> None:
        for requirements in lists:
            with TemporaryDirectory(prefix="servers-") as folder:
                _install(requirements, Path(folder))
                compileall.compile_dir(folder, quiet=2)
                tar.add(folder, f"{own_packages.OF_IMAGE.lstrip('/')}/{requirements.parent.name}", filter=_root)

    return _layer("servers-packages", f"{sys.version};{';'.join(map(_file_key, lists))};whole", write)


def _install(requirements: Path, folder: Path) -> None:
    """By Seaway's pins, but for those that a server refuses."""
    pins = (PROJECT / "requirements.lock").read_text().splitlines()
    kept = [pin for pin in pins if pin.partition("==")[0] not in REFUSED]
    constraints = folder / "constraints.txt"
    constraints.write_text("\n".join(kept) + "\n")
    uv = [Path(sys.executable).parent / "uv", "pip", "install", "--quiet", "--target", folder]
    subprocess.run([*uv, "--constraint", constraints, "--requirement", requirements], check=True)
    constraints.unlink()


def runtime_image() -> str:
    """Target `runtime` of images/Dockerfile: what a pipeline step runs in, with the commands of its packages."""
    if named := os.environ.get("SEAWAY_TEST_RUNTIME_IMAGE"):
        return named
    return _imported("docker.io/seaway/runtime", _runtime_layers())


def project_image(project: Path) -> str:
    """Target `runtime` with the packages of a project that `seaway init` has written."""
    if os.environ.get("SEAWAY_TEST_RUNTIME_IMAGE"):
        pytest.skip("SEAWAY_TEST_RUNTIME_IMAGE names an image that the project cannot be added to here")
    files = [file for file in _sources(project) if file.parent != project]
    key = ";".join(f"{file.relative_to(project)} {_file_key(file)}" for file in files)

    def write(tar: tarfile.TarFile) -> None:
        for file in files:
            tar.add(file, f"{SITE}/{file.relative_to(project)}", recursive=False, filter=_root)

    return _imported(f"docker.io/seaway/{project.name}", [*_runtime_layers(), _layer("project", key, write)])


def _runtime_layers() -> list[Path]:
    packages = closure(listed("runtime"))
    return [*python_layers("runtime"), _layer("runtime-commands", _packages_key(packages), _write_commands(packages))]


def python_layers(image: str) -> list[Path]:
    """Uncompressed tar files, lowest first: Debian, torch, its companions as images/IMAGE lists them, Seaway."""
    needed = closure(listed(image))
    torch = [package for package in needed if _is_torch(package)]
    others = [package for package in needed if not _is_torch(package)]
    return [
        _layer("debian", DEBIAN, _write_debian),
        _layer("torch", _packages_key(torch), _write_packages(torch)),
        _layer(f"{image}-packages", _packages_key(others), _write_packages(others)),
        _layer("seaway", _project_key(), _write_project),
    ]


def _is_torch(package: Distribution) -> bool:
    name = package.metadata["Name"].lower()
    return name == "torch" or name.startswith(("nvidia", "triton", "cuda"))


def _imported(name: str, layers: list[Path]) -> str:
    """Import the layers under a name that tells their content, unless this cluster has it already."""
    tool = os.environ.get("SEAWAY_CLUSTER_TOOL")
    if not tool:
        pytest.skip("SEAWAY_CLUSTER_TOOL is not set, so images cannot be imported; or name them by SEAWAY_TEST_IMAGE "
                    "and SEAWAY_TEST_TRAINER_IMAGE")  # fmt: skip
    digest = hashlib.sha256("".join(layer.name for layer in layers).encode()).hexdigest()[:12]
    image = f"{name}:{digest}"
    mark = CACHE / f"{_cluster()}-{name.rsplit('/', 1)[1]}-{digest}.imported"
    if mark.exists():
        return image
    with _alone():
        if not mark.exists():
            subprocess.run([tool, "image", image, *map(str, layers)], check=True, stdout=subprocess.DEVNULL)
            mark.touch()
    return image


@contextmanager
def _alone() -> Iterator[None]:
    """One process at a time writes layers and imports images."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@functools.cache
def _cluster() -> str:
    """What tells this cluster from one that was made anew."""
    command = ["kubectl", "get", "namespace", "kube-system", "-o", "jsonpath={.metadata.uid}"]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _layer(name: str, key: str, write: Callable[[tarfile.TarFile], None]) -> Path:
    """The tar file of this content, from the cache or written now; older ones of the same name are removed."""
    recipe = hashlib.sha256(f"{RECIPE};{UNUSED};{key}".encode()).hexdigest()[:16]
    path = CACHE / f"{name}-{recipe}.tar"
    if path.exists():
        return path
    with _alone():
        if not path.exists():
            draft = path.with_suffix(f".{os.getpid()}.tmp")
            with tarfile.open(draft, "w") as tar:
                write(tar)
            draft.replace(path)
            for old in sorted(CACHE.glob(f"{name}-*.tar"), key=lambda tar: tar.stat().st_mtime)[:-KEPT]:
                old.unlink()
    return path


def _write_busybox(busybox: Path) -> Callable[[tarfile.TarFile], None]:
    def write(tar: tarfile.TarFile) -> None:
        _folder(tar, "tmp", 0o1777)
        tar.add(busybox, "bin/busybox", filter=_root)
        applets = subprocess.run([busybox, "--list"], check=True, capture_output=True, text=True).stdout.split()
        for applet in applets:
            if applet != "busybox":
                _link(tar, f"bin/{applet}", "busybox")

    return write


def _write_debian(tar: tarfile.TarFile) -> None:
    if not shutil.which("debootstrap") or os.geteuid() != 0:
        pytest.skip(
            "debootstrap, run as root, builds the root file system: install it, or set SEAWAY_TEST_TRAINER_IMAGE"
        )
    root = CACHE / f"root.{os.getpid()}"
    try:
        command = ["debootstrap", "--variant=minbase", "--include=python3,ca-certificates", DEBIAN, str(root)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
        for useless in ("var/cache/apt", "var/lib/apt/lists", "usr/share/doc", "usr/share/man", "usr/share/locale"):
            shutil.rmtree(root / useless, ignore_errors=True)
        tar.add(root, ".", filter=_no_devices)
    finally:
        shutil.rmtree(root, ignore_errors=True)
    _link(tar, "opt/seaway/bin/python3", "/usr/bin/python3")
    _link(tar, "opt/seaway/bin/python", "python3")
    _text(tar, "opt/seaway/pyvenv.cfg", "home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.11.2\n")
    _text(tar, "usr/local/bin/python", '#!/bin/sh\nexec /opt/seaway/bin/python "$@"\n', mode=0o755)


def _write_packages(packages: list[Distribution]) -> Callable[[tarfile.TarFile], None]:
    def write(tar: tarfile.TarFile) -> None:
        files = {name: path for package in packages for name, path in _files(package)}
        large = [
            name for name, path in files.items() if _matches(name, CUDA) and path.stat().st_size > placeholders.LARGE
        ]
        replaced = large if placeholders.can_be_made() else []
        torch = placeholders.referred(
            path for name, path in files.items() if _matches(name, ("torch/*.so", "torch/*.so.*"))
        )
        for name, path in files.items():
            if name in replaced:
                _bytes(tar, f"{SITE}/{name}", placeholders.placeholder(path, torch), mode=0o755)
            else:
                tar.add(path, f"{SITE}/{name}", recursive=False, filter=_root)

    return write


def _write_commands(packages: list[Distribution]) -> Callable[[tarfile.TarFile], None]:
    """On the PATH that an image has which is imported without settings of its own; the Dockerfile's has /opt/seaway."""

    def write(tar: tarfile.TarFile) -> None:
        _text(tar, "usr/local/bin/python3", '#!/bin/sh\nexec /opt/seaway/bin/python3 "$@"\n', mode=0o755)
        for entry in (entry for package in packages for entry in package.entry_points.select(group="console_scripts")):
            called = f"import sys\nfrom {entry.module} import {entry.attr}\nsys.exit({entry.attr}())\n"
            _text(tar, f"usr/local/bin/{entry.name}", f"#!/opt/seaway/bin/python3\n{called}", mode=0o755)

    return write


def _files(package: Distribution) -> Iterator[tuple[str, Path]]:
    """What the package installed below site-packages, less what a CPU never loads."""
    for file in package.files or []:
        path = Path(str(package.locate_file(file)))
        if not _matches(file.as_posix(), UNUSED) and not file.as_posix().startswith("..") and path.exists():
            yield from _with_bytecode(file.as_posix(), path)


def _with_bytecode(name: str, path: Path) -> Iterator[tuple[str, Path]]:
    """A file and its bytecode, where there is some: a pod whose root is read-only would compile it each time."""
    yield name, path
    compiled = Path(cache_from_source(str(path))) if path.suffix == ".py" else path
    if compiled != path and compiled.exists():
        yield f"{name.rpartition('/')[0]}/__pycache__/{compiled.name}".removeprefix("/"), compiled


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


def _write_project(tar: tarfile.TarFile) -> None:
    for tree, package in {
        "sdk/seaway": "seaway",
        "components": "seaway_components",
        "examples": "seaway_examples",
    }.items():
        compileall.compile_dir(PROJECT / tree, quiet=2)
        for source in _sources(PROJECT / tree):
            for name, path in _with_bytecode(source.relative_to(PROJECT / tree).as_posix(), source):
                tar.add(path, f"{SITE}/{package}/{name}", recursive=False, filter=_root)


def _sources(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            yield path


def _project_key() -> str:
    digest = hashlib.sha256()
    for tree in ("sdk/seaway", "components", "examples"):
        for path in _sources(PROJECT / tree):
            digest.update(f"{path.relative_to(PROJECT)}\0".encode() + path.read_bytes())
    return digest.hexdigest()


def _packages_key(packages: list[Distribution]) -> str:
    return f"bytecode;{sys.version};" + ";".join(
        f"{package.metadata['Name']}=={package.version}" for package in packages
    )


def _file_key(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    info.mode |= 0o444 | (0o111 if info.mode & 0o100 else 0)
    return info


def _no_devices(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    return None if info.isdev() else info


def _folder(tar: tarfile.TarFile, name: str, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.mode = tarfile.DIRTYPE, mode
    tar.addfile(info)


def _link(tar: tarfile.TarFile, name: str, target: str) -> None:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = tarfile.SYMTYPE, target
    tar.addfile(info)


def _text(tar: tarfile.TarFile, name: str, text: str, mode: int = 0o644) -> None:
    _bytes(tar, name, text.encode(), mode)


def _bytes(tar: tarfile.TarFile, name: str, data: bytes, mode: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), mode
    tar.addfile(info, io.BytesIO(data))
