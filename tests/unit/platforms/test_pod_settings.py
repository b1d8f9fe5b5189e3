"""What a step's pod finds mounted: settings become its environment, keys its own."""

from pathlib import Path

import pytest
from seaway.errors import InvalidSpec, PackageRefused
from seaway.models.signing import PRIVATE_KEY, PUBLIC_KEY, signing_keys, verifying_key
from seaway.platforms import home, pod_settings


@pytest.fixture
def pod(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The mounts of a pod below a folder of the test's own."""
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.96.0.1")
    monkeypatch.delenv("SEAWAY_HOME", raising=False)
    monkeypatch.chdir(tmp_path)
    for module, name in ((pod_settings, "SETTINGS"), (pod_settings, "STORAGE"), (home, "SETTINGS"), (home, "SIGNING")):
        monkeypatch.setattr(module, name, pod_settings.Mount(f"seaway-{name.lower()}", tmp_path / name.lower()))
    return tmp_path


def put(folder: Path, **files: str) -> None:
    folder.mkdir(exist_ok=True)
    for name, text in files.items():
        (folder / name).write_text(text)


def test_mounted_files_become_variables_unless_the_pod_has_them(pod: Path) -> None:
    put(pod / "settings", SEAWAY_STORAGE="s3://bucket\n", SEAWAY_ENDPOINT="deployment", **{"placement.yaml": "cpu: 1"})
    put(pod / "storage", AWS_ACCESS_KEY_ID="key")
    environment = {"SEAWAY_ENDPOINT": "inferenceservice"}
    pod_settings.adopt(environment)
    assert environment == {
        "SEAWAY_STORAGE": "s3://bucket", "SEAWAY_ENDPOINT": "inferenceservice", "AWS_ACCESS_KEY_ID": "key",
    }  # fmt: skip


def test_a_pod_without_mounts_keeps_its_environment(pod: Path) -> None:
    environment = {"PATH": "/bin"}
    pod_settings.adopt(environment)
    assert environment == {"PATH": "/bin"}


def test_a_pod_signs_with_the_mounted_pair(pod: Path) -> None:
    pair = signing_keys(pod / "signing")
    put(pod / "settings", **{PUBLIC_KEY: pair.public.read_text()})
    assert signing_keys(home.keys()) == pair
    assert not (pod / ".seaway").exists()


def test_a_pod_that_signs_nothing_verifies_by_the_settings(pod: Path) -> None:
    put(pod / "settings", **{PUBLIC_KEY: signing_keys(pod / "elsewhere").public.read_text()})
    assert verifying_key(home.keys()) == pod / "settings" / PUBLIC_KEY
    with pytest.raises(PackageRefused, match=PRIVATE_KEY):
        signing_keys(home.keys())


def test_a_pod_makes_no_key_that_would_end_with_it(pod: Path) -> None:
    with pytest.raises(InvalidSpec, match="seaway-signing"):
        home.keys()
    assert not (pod / ".seaway").exists()


def test_a_pod_whose_state_folder_is_named_keeps_its_keys_there(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEAWAY_HOME", str(pod / "volume"))
    assert home.keys() == pod / "volume" / "keys"


def test_a_laptop_makes_its_keys_on_first_use(pod: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST")
    assert signing_keys(home.keys()).private == pod / ".seaway" / "keys" / PRIVATE_KEY
