"""Staged data: fetched once for all, by content, whole or not at all."""

import threading
from pathlib import Path
from unittest.mock import patch

import pytest
from seaway.data.staging import stage
from seaway.errors import DataUnreadable, InvalidSpec
from seaway.platforms.home import stage_folder
from seaway.storage import sha256
from seaway.storage.folder import FolderStorage


def lake(folder: Path, content: str = "1") -> Path:
    (folder / "lake" / "deep").mkdir(parents=True, exist_ok=True)
    (folder / "lake" / "rows.csv").write_text(content)
    (folder / "lake" / "deep" / "more.csv").write_text("2")
    return folder / "lake"


def test_a_version_is_fetched_once_and_the_same_content_is_kept_once(tmp_path: Path) -> None:
    source, shared = lake(tmp_path), tmp_path / "shared"
    first = stage(str(source), shared, "v1")
    assert first.fetched and first.sha256 == sha256(source) == sha256(first.path) and first.bytes == 2
    assert first.path.name == "lake" and not (first.path / "rows.csv").stat().st_mode & 0o222
    lake(tmp_path, "3")
    again = stage(str(source), shared, "v1")
    assert not again.fetched and again.path == first.path
    other = stage(str(source), shared, "v2")
    assert other.fetched and other.path != first.path and (other.path / "rows.csv").read_text() == "3"
    copy = stage(str(source), shared)
    assert copy.fetched and copy.path == other.path and len(list((shared / "objects").iterdir())) == 2
    assert list((shared / "drafts").iterdir()) == []


def test_what_was_damaged_is_fetched_anew(tmp_path: Path) -> None:
    source, shared = lake(tmp_path), tmp_path / "shared"
    staged = stage(str(source), shared, "v1").path / "rows.csv"
    staged.chmod(0o600)
    staged.write_text("other")
    again = stage(str(source), shared, "v1")
    assert again.fetched and (again.path / "rows.csv").read_text() == "1"


def test_many_that_ask_at_once_wait_for_the_one_that_fetches(tmp_path: Path) -> None:
    source, shared = lake(tmp_path), tmp_path / "shared"
    fetched: list[bool] = []
    with patch.object(FolderStorage, "download", autospec=True, side_effect=FolderStorage.download) as downloads:
        asking = [
            threading.Thread(target=lambda: fetched.append(stage(str(source), shared, "v1").fetched)) for _ in range(6)
        ]
        for one in asking:
            one.start()
        for one in asking:
            one.join()
    assert downloads.call_count == 1 and sorted(fetched) == [False] * 5 + [True]


def test_a_folder_of_other_tools_is_taken_file_by_file_and_nothing_is_told(tmp_path: Path) -> None:
    source = lake(tmp_path)
    found = stage(str(source), tmp_path / "shared", "v1", foreign=True)
    assert found.sha256 == sha256(source)
    for foreign in (True, False):
        with pytest.raises(DataUnreadable):
            stage(str(tmp_path / "none"), tmp_path / "shared", "v1", foreign)
    assert list((tmp_path / "shared" / "drafts").iterdir()) == []


def test_a_pod_has_to_name_a_folder_that_others_see(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path))
    monkeypatch.delenv("SEAWAY_STAGE", raising=False)
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    assert stage_folder() == str(tmp_path / "staged")
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    with pytest.raises(InvalidSpec, match="SEAWAY_STAGE"):
        stage_folder()
    monkeypatch.setenv("SEAWAY_STAGE", "/mnt/shared")
    assert stage_folder() == "/mnt/shared"
