"""Who is told of runs, and what may stand in no notice."""

from dataclasses import replace
from pathlib import Path

import pytest
from seaway.platforms import notices
from seaway.platforms.pod_settings import NOTICES, STORAGE


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Secrets as a kubelet mounts them: each key a link into a folder that is a link too."""
    for name, mount, keys in (
        ("STORAGE", STORAGE, {"AWS_ENDPOINT_URL": "http://store:9000", "AWS_SECRET_ACCESS_KEY": "a-secret-key"}),
        ("NOTICES", NOTICES, {"receivers": "# the team\njson://team/hook\n"}),
    ):
        folder = tmp_path / mount.object
        (folder / "..2026").mkdir(parents=True)
        (folder / "..data").symlink_to("..2026")
        for key, value in keys.items():
            (folder / "..2026" / key).write_text(value)
            (folder / key).symlink_to(f"..data/{key}")
        monkeypatch.setattr(notices, name, replace(mount, path=folder))
    return tmp_path


def test_receivers_are_those_of_the_secret_and_of_the_variable(mounts: Path) -> None:
    known = notices.addressees({"SEAWAY_NOTIFY": "json://a/b slack://c/d"})
    assert known.receivers == ("json://team/hook", "json://a/b", "slack://c/d")


def test_keys_and_addresses_are_secret_and_where_the_storage_is_is_none(mounts: Path) -> None:
    known = notices.addressees({"HF_TOKEN": "a-token", "PATH": "/bin"})
    assert set(known.secrets) == {"json://team/hook", "a-secret-key", "a-token"}


def test_a_run_is_looked_at_where_the_dashboard_is_or_in_its_folder(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(tmp_path / ".seaway"))
    assert notices.links("r1", {"SEAWAY_DASHBOARD": "https://k/pipeline/"}) == ["https://k/pipeline/#/runs/details/r1"]
    (told,) = notices.links("r1", {})
    assert "seaway report r1" in told
    assert str(tmp_path) in told
