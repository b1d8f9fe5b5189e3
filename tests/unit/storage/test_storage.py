import fcntl
import os
import re
import stat
import sys
from pathlib import Path
from types import ModuleType

import pytest
from seaway.errors import DataUnreadable, InvalidSpec, StorageUnavailable
from seaway.storage import FolderStorage, atomic_path, load_object, locked, read_json, sha256, write_json, write_private


def test_a_failed_write_leaves_the_old_content_and_no_rubbish(tmp_path: Path) -> None:
    target = tmp_path / "state.json"
    write_json(target, {"step": 1})

    with pytest.raises(OSError, match="disk full"), atomic_path(target) as draft:
        draft.write_text("half")
        raise OSError("disk full")

    assert read_json(target) == {"step": 1}
    assert [file.name for file in tmp_path.iterdir()] == ["state.json"]


def test_a_folder_that_cannot_be_written_is_told_as_a_storage_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("weights")
    for target in ("model/below", f"{'x' * 300}"):
        with pytest.raises(StorageUnavailable, match=r"cannot be copied to .*has room"):
            FolderStorage().upload(tmp_path / "model", str(tmp_path / target))
    assert [file.name for file in tmp_path.iterdir()] == ["model"]


def test_a_link_that_leads_to_itself_is_told_by_its_path(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    for loop in ("loop", "data/loop"):
        (tmp_path / loop).symlink_to(tmp_path / loop)
    for folder in ("loop", "loop/versions/tables", "data"):
        with pytest.raises(DataUnreadable, match=r"loop.* a link that leads to itself"):
            FolderStorage().list(str(tmp_path / folder))


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_a_written_file_has_the_mode_that_the_umask_gives(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_json(tmp_path / "state.json", {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "state.json").stat().st_mode) == mode


def test_nan_is_refused_rather_than_written_as_invalid_json(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        write_json(tmp_path / "metrics.json", {"loss": float("nan")})
    assert list(tmp_path.iterdir()) == []


def test_unreadable_json_names_the_file(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{")
    with pytest.raises(DataUnreadable, match=r"broken\.json"):
        read_json(broken)
    with pytest.raises(DataUnreadable, match=r"missing\.json does not exist"):
        read_json(tmp_path / "missing.json")


def test_the_hash_of_a_folder_depends_on_names_and_contents(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    before = sha256(tmp_path)
    (tmp_path / "a").rename(tmp_path / "b")
    renamed = sha256(tmp_path)
    (tmp_path / "b").write_text("2")
    assert len({before, renamed, sha256(tmp_path)}) == 3


def test_a_lock_is_held_by_one_alone(tmp_path: Path) -> None:
    with locked(tmp_path / "lock"), (tmp_path / "lock").open("a") as other, pytest.raises(BlockingIOError):
        fcntl.flock(other, fcntl.LOCK_SH | fcntl.LOCK_NB)
    with (tmp_path / "lock").open("a") as other:
        fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_a_link_that_leads_out_of_a_folder_is_not_copied_with_it(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("x")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "inside").write_text("y")
    (tmp_path / "folder" / "link").symlink_to("inside")
    FolderStorage().upload(tmp_path / "folder", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "link").read_text() == "y"
    (tmp_path / "folder" / "way-out").symlink_to(tmp_path / "secret")
    with pytest.raises(DataUnreadable, match="leads out"):
        FolderStorage().upload(tmp_path / "folder", str(tmp_path / "another"))
    assert not (tmp_path / "another").exists()


@pytest.mark.parametrize("reference", ["json", "json:", ":loads", "no_such_module:x", "json:no_such_name"])
def test_a_reference_that_names_nothing_is_refused(reference: str) -> None:
    with pytest.raises(InvalidSpec):
        load_object(reference)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("x = 1", "has no 'read'"),
        ("import json; json.nothing", "cannot be imported: AttributeError: module 'json' has no attribute 'nothing'"),
        ("1 / 0", "cannot be imported: ZeroDivisionError"),
        ("def read(:", "cannot be imported: SyntaxError"),
        ("import sys; sys.modules['kfp'].dsl.component", "keep what steps import in another file"),
    ],
)
def test_what_is_wrong_in_a_module_is_told_as_that(
    text: str, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kfp = ModuleType("kfp")
    kfp.dsl = ModuleType("kfp.dsl")  # type: ignore[attr-defined]  # as it is in a step, which has no words for pipelines
    monkeypatch.setitem(sys.modules, "kfp", kfp)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "told_module", raising=False)
    (tmp_path / "told_module.py").write_text(text)
    with pytest.raises(InvalidSpec, match=re.escape(told)):
        load_object("told_module:read")


def test_a_reference_finds_its_object() -> None:
    assert load_object("json:loads")("[1]") == [1]


def test_a_private_file_is_its_owners_only_and_never_half_written(tmp_path: Path) -> None:
    target = tmp_path / "token"
    write_private(target, "first")
    with pytest.raises(UnicodeEncodeError):
        write_private(target, "\udcff")
    assert target.read_text() == "first"
    assert target.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [target]


def test_a_folder_is_hashed_by_names_of_any_bytes(tmp_path: Path) -> None:
    """As an archive of another system leaves them."""
    (tmp_path / "folder").mkdir()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/folder/\xfcber")).write_text("x")
    before = sha256(tmp_path / "folder")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/folder/\xfcber")).rename(tmp_path / "folder" / "\u00fcber")
    assert before != sha256(tmp_path / "folder")
