"""What one machine has staged, another reads by NFS: the same bytes, whole, and none that it could change."""

import os
from pathlib import Path

import nfs
import pytest
from seaway.data.staging import stage
from seaway.storage import sha256

pytestmark = pytest.mark.skipif(bool(nfs.unserved()), reason=nfs.unserved())


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    folder = tmp_path / "lake"
    (folder / "deep").mkdir(parents=True)
    (folder / "recording").write_bytes(os.urandom((3 << 20) + 7))
    (folder / "deep" / "notes").write_text("of May")
    return folder


def test_another_machine_reads_what_was_staged_by_its_hash_and_cannot_change_it(lake: Path, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    staged = stage(str(lake), shared, "2024-05", foreign=True)
    with nfs.exported(shared) as other:
        place = staged.path.relative_to(shared).as_posix()
        assert other.names(place) == {"recording", "deep"} and other.names("drafts") == set()
        copied = tmp_path / "copied"
        (copied / "deep").mkdir(parents=True)
        for name in ("recording", "deep/notes"):
            other.copy(f"{place}/{name}", copied / name)
        assert sha256(copied) == staged.sha256 == sha256(lake)
        with pytest.raises(RuntimeError, match="nfs-cp"):
            other.write(lake / "recording", f"{place}/another")
        again = stage(str(lake), shared, "2024-05", foreign=True)
        assert (again.path, again.fetched) == (staged.path, False)
        (lake / "deep" / "notes").write_text("of June")
        later = stage(str(lake), shared, "2024-06", foreign=True)
        other.copy(f"{later.path.relative_to(shared).as_posix()}/deep/notes", copied / "later")
        other.copy(f"{place}/deep/notes", copied / "before")
    assert ((copied / "later").read_text(), (copied / "before").read_text()) == ("of June", "of May")
