"""What the real DVC has pushed to a real S3 server is read by commit, without DVC."""

import shutil
from pathlib import Path

import pytest
from dvc_program import PROGRAM, run
from object_store import object_store
from seaway.data import ingest
from seaway.errors import DataUnreadable, InvalidSpec

DVC = "seaway.data.sources.dvc:read"
pytestmark = pytest.mark.skipif(
    not PROGRAM.exists() or shutil.which("git") is None, reason="no git, or no DVC: see tests/support/dvc_program.py"
)


def test_files_and_folders_of_each_commit_come_from_the_remote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    repo = tmp_path / "repo"
    (repo / "data" / "parts").mkdir(parents=True)
    with object_store(tmp_path / "s3") as store:
        for name, value in store.environment.items():
            monkeypatch.setenv(name, value)
        run(repo, "git", "init", "-q")
        run(repo, "dvc", "init", "-q")
        run(repo, "dvc", "remote", "add", "-d", "lake", f"s3://{store.bucket}/dvc")
        run(repo, "dvc", "remote", "modify", "lake", "endpointurl", store.endpoint)
        orders = repo / "data" / "orders.csv"
        orders.write_text("n\n1\n2\n")
        (repo / "data" / "parts" / "a.csv").write_text("n\n7\n")
        run(repo, "dvc", "add", "-q", "data/orders.csv", "data/parts")
        run(repo, "git", "add", ".")
        run(repo, "git", "commit", "-qm", "first")
        run(repo, "git", "tag", "v1")
        orders.write_text("n\n1\n2\n3\n")
        run(repo, "dvc", "add", "-q", "data/orders.csv")
        run(repo, "git", "commit", "-qam", "second")
        run(repo, "dvc", "push", "-q", "--all-commits")

        elsewhere = tmp_path / "clone"
        run(tmp_path, "git", "clone", "-q", str(repo), str(elsewhere))
        options = {"repo": str(elsewhere), "path": "data/orders.csv"}
        first, again = (ingest(DVC, {**options, "rev": "v1"}, tmp_path / name) for name in ("first", "again"))
        commit = run(repo, "git", "rev-parse", "v1")
        assert first.rows == {"rows": 2} and first.version.startswith(f"dvc {commit}, md5 ")
        assert (first.sha256, first.version) == (again.sha256, again.version) and commit in first.version
        assert ingest(DVC, options, tmp_path / "latest").rows == {"rows": 3}
        part = ingest(DVC, {**options, "path": "data/parts/a.csv", "repo": f"file://{repo}"}, tmp_path / "part")
        assert part.rows == {"rows": 1}

        for wrong, told in (({"rev": "v9"}, "git cannot read"), ({"path": "data/none.csv"}, "DVC keeps no data/none")):
            with pytest.raises(DataUnreadable, match=told):
                ingest(DVC, {**options, **wrong}, tmp_path / "wrong")
        with pytest.raises(DataUnreadable, match="is no file of data/parts"):
            ingest(DVC, {**options, "path": "data/parts/b.csv"}, tmp_path / "wrong")
        with pytest.raises(InvalidSpec, match="names no remote 'x'; it names lake"):
            ingest(DVC, {**options, "remote": "x"}, tmp_path / "wrong")
        md5 = first.version.rpartition(" ")[2]
        store.client().remove_object(store.bucket, f"dvc/files/md5/{md5[:2]}/{md5[2:]}")
        with pytest.raises(DataUnreadable, match="Push it by `dvc push`"):
            ingest(DVC, {**options, "rev": "v1"}, tmp_path / "wrong")
        cached = repo / ".dvc" / "cache" / "files" / "md5" / md5[:2] / md5[2:]
        assert ingest(DVC, {**options, "repo": str(repo), "rev": "v1"}, tmp_path / "cached").sha256 == first.sha256
        cached.chmod(0o600)
        cached.write_text("n\n5\n6\n")
        with pytest.raises(DataUnreadable, match="is damaged"):
            ingest(DVC, {**options, "repo": str(repo), "rev": "v1"}, tmp_path / "wrong")
