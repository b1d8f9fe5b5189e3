"""Can this machine run pipelines? Asked before a run, not found by one: `seaway doctor`."""

import os
import resource
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from urllib.request import getproxies, proxy_bypass

import psutil
from packaging.requirements import Requirement

from seaway.platforms.findings import Finding, State

GIB = 1 << 30
LEAST_MEMORY = GIB  # that is free: a training of the bundled trainer on a small table
LEAST_DISK = 2 * GIB
LEAST_SHARED = 64 << 20  # bytes of /dev/shm: workers of a training exchange tensors there
LEAST_FILES = 1024  # that a process may open: Envoy and the model servers hold a connection each
PYTHONS = ((3, 11), (3, 13))  # the first and the last that are tested
EXTRAS = {"local": "features, training, tuning and reports", "serving": "endpoints"}  # on one machine


def machine(folder: Path) -> Iterator[Finding]:
    """What is found of the machine; `folder` is where runs are kept."""
    yield _python(sys.version_info[:2])
    yield from _packages(requires("seaway") or ())
    yield _memory(psutil.virtual_memory().available)
    yield _disk(folder, shutil.disk_usage(folder).free)
    yield from _shared(Path("/dev/shm"))  # noqa: S108  # looked at, not written to
    yield _files(resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    yield _sockets()
    yield _proxy()


def _python(found: Sequence[int]) -> Finding:
    name = ".".join(map(str, found))
    if PYTHONS[0] <= tuple(found) <= PYTHONS[1]:
        return Finding(State.GOOD, f"Python {name}")
    first, last = (".".join(map(str, one)) for one in PYTHONS)
    return Finding(State.BAD, f"Python is {name}", f"Make the environment by one of {first} to {last}.")


def _packages(requirements: Sequence[str]) -> Iterator[Finding]:
    """Versions that are not those that were asked for, and extras that are not there."""
    parsed = [Requirement(one) for one in requirements]
    wrong = [told for one in parsed if _applies(one, "") and (told := _wrong(one))]
    yield from (Finding(State.BAD, told, f"pip install {cure!r}") for told, cure in wrong)
    if not wrong:
        yield Finding(State.GOOD, "what Seaway needs is installed")
    for extra, purpose in EXTRAS.items():
        yield _extra(extra, purpose, [one for one in parsed if _applies(one, extra) and not _applies(one, "")])


def _extra(name: str, purpose: str, requirements: Sequence[Requirement]) -> Finding:
    wrong = [told for one in requirements if (told := _wrong(one))]
    cure = f"pip install 'seaway[{name}]'"
    if not wrong:
        return Finding(State.GOOD, f"the extra {name} is installed")
    if all(_version(one.name) for one in requirements):
        return Finding(State.BAD, f"of the extra {name}, {wrong[0][0]}", cure)
    return Finding(State.UNKNOWN, f"the extra {name} is not installed whole: {wrong[0][0]}", f"For {purpose}: {cure}")


def _applies(requirement: Requirement, extra: str) -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def _wrong(requirement: Requirement) -> tuple[str, str] | None:
    """What is wrong, and what is to be installed."""
    wanted = f"{requirement.name}{requirement.specifier}"
    found = _version(requirement.name)
    if not found:
        return f"{requirement.name} is not installed", wanted
    if not requirement.specifier.contains(found, prereleases=True):
        return f"{requirement.name} is {found}, {requirement.specifier} is wanted", wanted
    return None


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def _memory(free: int) -> Finding:
    if free >= LEAST_MEMORY:
        return Finding(State.GOOD, f"{free / GIB:.1f} GiB of memory are free")
    advice = "End what takes it, or take fewer rows and workers: a step that gets none is killed without a word."
    return Finding(State.BAD, f"only {free / GIB:.1f} GiB of memory are free", advice)


def _disk(folder: Path, free: int) -> Finding:
    if free >= LEAST_DISK:
        return Finding(State.GOOD, f"{free / GIB:.0f} GiB are free where {folder} is")
    advice = f"Delete runs that are no longer wanted below {folder}, or set SEAWAY_HOME to a larger disk."
    return Finding(State.BAD, f"only {free / GIB:.1f} GiB are free where {folder} is", advice)


def _shared(folder: Path) -> Iterator[Finding]:
    if folder.is_dir() and (free := shutil.disk_usage(folder).free) < LEAST_SHARED:
        advice = "Of a container: docker run --shm-size 1g. Or train with one worker."
        yield Finding(State.BAD, f"{folder} has only {free >> 20} MiB, by which workers exchange tensors", advice)


def _files(limit: int) -> Finding:
    if limit >= LEAST_FILES or limit == resource.RLIM_INFINITY:
        return Finding(State.GOOD, f"a process may open {limit:,} files")
    return Finding(State.BAD, f"a process may open only {limit:,} files", "ulimit -n 4096 in the shell before.")


def _sockets() -> Finding:
    """Loopback and Unix sockets: endpoints are made of both."""
    try:
        with socket.create_server(("127.0.0.1", 0)):
            pass
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
            listener.bind(str(Path(folder) / "socket"))
    except OSError as error:
        advice = "Allow loopback, and set TMPDIR to a folder of a short name on a local disk that can be written."
        return Finding(State.BAD, f"no socket can be listened on here: {error}", advice)
    return Finding(State.GOOD, "sockets of loopback and of files can be listened on")


def _proxy() -> Finding:
    if not {"http", "all"} & getproxies().keys() or proxy_bypass("127.0.0.1"):
        return Finding(State.GOOD, "requests to this machine go by no proxy")
    advice = f"export NO_PROXY=127.0.0.1,localhost{',' + kept if (kept := os.environ.get('NO_PROXY', '')) else ''}"
    return Finding(State.BAD, "requests to this machine's own endpoints would go by the proxy of HTTP_PROXY", advice)
