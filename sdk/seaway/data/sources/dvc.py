"""A file that DVC keeps, as it is in a commit: by git and the store's own layout, without DVC.

`ingest_tables(source="seaway.data.sources.dvc:read", options={"repo": "https://git/shop", "path": "data/orders.csv"})`

A commit has a small file with the MD5 of each file, by which the cache or a remote holds it. The remote is the one that
`.dvc/config` names: a folder, `https://`, or `s3://`, whose keys are found as for any other data.
"""

import configparser
import hashlib
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from seaway.data.sources.fetched import fetched
from seaway.data.sources.files import table_of
from seaway.data.version import versioned, with_version
from seaway.errors import DataUnreadable, InvalidSpec

if TYPE_CHECKING:
    import pyarrow as pa

HEAD = "HEAD"
FOLDER = ".dir"  # ends the MD5 of a folder, of which the store has a list of files
SECTION = re.compile(r"""'?remote\s+"(.+)"'?""")
GIT_TIMEOUT_S = 600


@dataclass(frozen=True)
class Kept:
    """A file of a commit."""

    commit: str
    md5: str

    def __str__(self) -> str:
        return f"dvc {self.commit}, md5 {self.md5}"


def version_of(repo: str, path: str, rev: str = HEAD, remote: str = "", **_: object) -> str:
    """Commit and MD5."""
    with _opened(repo) as folder:
        return str(_kept(folder, path, rev, remote))


@versioned(version_of)
def read(
    repo: str,
    path: str,
    rev: str = HEAD,
    table: str = "rows",
    kinds: Mapping[str, str] | None = None,
    remote: str = "",
) -> "dict[str, pa.Table]":
    """The file as a table.

    Args:
        repo: Folder or address of the git repository.
        path: Of the file in it, or of a file in a folder that DVC keeps.
        rev: Commit, tag or branch.
        table: What the table is to be called.
        kinds: What columns are to be read as, as of `seaway.data.sources.files`.
        remote: Its name in `.dvc/config`; empty takes the default one.

    Raises:
        DataUnreadable: there is no such commit or file, or neither cache nor remote has it, or has another one.
        InvalidSpec: git is not installed, or `.dvc/config` names no such remote.
    """
    with _opened(repo) as folder:
        kept = _kept(folder, path, rev, remote)
        with _content(folder, kept, remote) as file, tempfile.TemporaryDirectory(prefix="seaway-dvc-") as own:
            named = Path(own) / PurePosixPath(path).name  # its ending says the format
            shutil.copyfile(file, named)
            return {table: with_version(table_of(named, kinds, path), str(kept))}


@contextmanager
def _opened(repo: str) -> Iterator[Path]:
    """A folder with the repository, a copy without files where it is elsewhere."""
    if shutil.which("git") is None:
        raise InvalidSpec("DVC's commits are read by git, which is not installed.")
    if Path(repo).is_dir():
        yield Path(repo)
        return
    with tempfile.TemporaryDirectory(prefix="seaway-dvc-") as folder:
        _run(repo, ["git", "clone", "--quiet", "--bare", "--", repo, folder])
        yield Path(folder)


def _kept(folder: Path, path: str, rev: str, remote: str) -> Kept:
    commit = _git(folder, "rev-parse", "--verify", "--end-of-options", f"{rev}^{{commit}}").strip()
    for outer in (PurePosixPath(path), *PurePosixPath(path).parents):
        if md5 := _md5(folder, commit, outer):
            if not md5.endswith(FOLDER):
                return Kept(commit, md5)
            with _content(folder, Kept(commit, md5), remote) as listed:
                files = {one["relpath"]: one["md5"] for one in json.loads(listed.read_text(encoding="utf-8"))}
            inner = PurePosixPath(path).relative_to(outer).as_posix()
            if inner not in files:
                raise DataUnreadable(f"{path} is no file of {outer} in {commit}; there are {', '.join(files)[:200]}.")
            return Kept(commit, files[inner])
    raise DataUnreadable(
        f"DVC keeps no {path} in {commit} of {folder}; name a file that has a .dvc, or is in dvc.lock."
    )


def _md5(folder: Path, commit: str, path: PurePosixPath) -> str:
    """What `path.dvc` or the `dvc.lock` beside it says; empty where neither does."""
    own = _yaml(folder, commit, f"{path}.dvc").get("outs", [])
    stages = _yaml(folder, commit, str(path.parent / "dvc.lock")).get("stages", {}).values()
    made = [out for stage in stages for out in stage.get("outs", [])]
    return next((str(out["md5"]) for out in (*own, *made) if out.get("path") == path.name and "md5" in out), "")


def _yaml(folder: Path, commit: str, path: str) -> dict[str, Any]:
    import yaml

    if not _git(folder, "ls-tree", "--name-only", commit, "--", path):
        return {}
    try:
        return yaml.safe_load(_git(folder, "show", f"{commit}:{path}")) or {}
    except yaml.YAMLError as error:
        raise DataUnreadable(f"{path} in {commit} is no YAML ({error}); see that it was committed whole.") from error


@contextmanager
def _content(folder: Path, kept: Kept, remote: str) -> Iterator[Path]:
    """The file, of the cache of a working copy or of the remote, as that MD5 says.

    DVC 3 keeps files below `files/md5`; before, they were at the top.
    """
    parts = (f"files/md5/{kept.md5[:2]}/{kept.md5[2:]}", f"{kept.md5[:2]}/{kept.md5[2:]}")
    cached = [folder / ".dvc" / "cache" / part for part in parts]
    if found := next((file for file in cached if file.is_file()), None):
        _require(found, kept, str(found))
        yield found
        return
    url, reasons = _remote(folder, kept.commit, remote), []
    for part in parts:
        try:
            with fetched(f"{url}/{part}") as file:
                _require(file, kept, f"{url}/{part}")
                yield file
                return
        except DataUnreadable as error:
            reasons.append(str(error))
    raise DataUnreadable(f"Neither the cache nor {url} has {kept}: {reasons[0]} Push it by `dvc push`.")


def _require(file: Path, kept: Kept, place: str) -> None:
    with_bytes = hashlib.md5(usedforsecurity=False)
    if not file.is_file():
        raise DataUnreadable(f"{place} is not there.")
    with file.open("rb") as stream:
        while block := stream.read(1 << 20):
            with_bytes.update(block)
    if with_bytes.hexdigest() != kept.md5.removesuffix(FOLDER):
        raise DataUnreadable(f"{place} is damaged: its MD5 is {with_bytes.hexdigest()}, not {kept.md5}.")


def _remote(folder: Path, commit: str, remote: str) -> str:
    """The address of a remote, of `.dvc/config` in that commit."""
    config = configparser.ConfigParser(interpolation=None)
    config.read_string(_git(folder, "show", f"{commit}:.dvc/config"))
    remotes = {
        found[1]: config[name].get("url", "") for name in config.sections() if (found := SECTION.fullmatch(name))
    }
    wanted = remote or config.get("core", "remote", fallback="")
    if not remotes.get(wanted):
        raise InvalidSpec(f".dvc/config names no remote {wanted!r}; it names {', '.join(remotes) or 'none'}.")
    url = remotes[wanted].rstrip("/")
    return url if "://" in url or url.startswith("/") else str((folder / ".dvc" / url).resolve())


def _git(folder: Path, *words: str) -> str:
    return _run(str(folder), ["git", "-C", str(folder), *words])


def _run(repo: str, command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=GIT_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        raise DataUnreadable(f"git has not read {repo} within {GIT_TIMEOUT_S} s.") from error
    if done.returncode:
        raise DataUnreadable(f"git cannot read {repo}: {' '.join(done.stderr.split())}")
    return done.stdout
