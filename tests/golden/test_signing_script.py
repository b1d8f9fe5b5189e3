"""kustomize/signing.sh: a key pair that signs what it verifies, made once, its public half given to every step."""

import base64
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kustomizing import KUBECTL, PROJECT
from seaway.errors import PackageRefused
from seaway.models.signing import PRIVATE_KEY, PUBLIC_KEY, check_signature, sign, signing_keys
from seaway.platforms.settings import SETTINGS, SIGNING

pytestmark = pytest.mark.skipif(KUBECTL is None, reason="kubectl is not on PATH")
SCRIPT = PROJECT / "kustomize" / "signing.sh"
# Keeps in a folder what kubectl would send to a server; kubectl itself makes the objects.
API = f"""#!{sys.executable}
import os, subprocess, sys, yaml
words, folder = sys.argv[1:], os.path.dirname(__file__)
assert words[:2] == ["--namespace", "team"], words
secret = os.path.join(folder, "secret.yaml")
if "apply" in words:
    open(os.path.join(folder, "configmap.yaml"), "w").write(sys.stdin.read())
elif "get" in words and os.path.exists(secret):
    text = yaml.safe_load(open(secret))["data"]["{PUBLIC_KEY}"]
    print("secret/{SIGNING.object}" if "--ignore-not-found" in words else text)
elif "secret" in words and "create" in words:
    made = subprocess.check_output([{KUBECTL!r}, *words, "--dry-run=client", "-o", "yaml"], close_fds=False)
    open(secret, "xb").write(made)
elif "create" in words:
    os.execv({KUBECTL!r}, [{KUBECTL!r}, *words])
"""


@pytest.fixture
def cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    api = tmp_path / "kubectl"
    api.write_text(API)
    api.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/local/bin:/usr/bin:/bin")
    return tmp_path


def mounted(folder: Path) -> tuple[Path, Path]:
    """The files of the Secret and of the settings, as a pod finds them."""
    data = {
        SIGNING.object: {
            name: base64.b64decode(text)
            for name, text in yaml.safe_load((folder / "secret.yaml").read_text())["data"].items()
        },
        SETTINGS.object: {
            name: text.encode()
            for name, text in yaml.safe_load((folder / "configmap.yaml").read_text())["data"].items()
        },
    }
    for name, files in data.items():
        (folder / name).mkdir(exist_ok=True)
        for file, content in files.items():
            (folder / name / file).write_bytes(content)
    return folder / SIGNING.object, folder / SETTINGS.object


def test_what_the_secret_signs_the_settings_verify(cluster: Path) -> None:
    subprocess.run([SCRIPT, "team"], check=True)
    signing, settings = mounted(cluster)
    assert {file.name for file in signing.iterdir()} == {PRIVATE_KEY, PUBLIC_KEY}
    assert {file.name for file in settings.iterdir()} == {PUBLIC_KEY}
    for file in signing.iterdir():
        file.chmod(0o444)
    signing.chmod(0o555)  # as a mount is: nothing has to be written beside the keys
    package = cluster / "package"
    package.mkdir()
    (package / "weights").write_bytes(b"1")
    sign(package, signing_keys(signing).private)
    check_signature(package, settings / PUBLIC_KEY)
    (package / "weights").write_bytes(b"2")
    with pytest.raises(PackageRefused):
        check_signature(package, settings / PUBLIC_KEY)


def test_run_again_it_keeps_the_pair(cluster: Path) -> None:
    subprocess.run([SCRIPT, "team"], check=True)
    before = [(cluster / name).read_text() for name in ("secret.yaml", "configmap.yaml")]
    subprocess.run([SCRIPT, "team"], check=True)
    assert [(cluster / name).read_text() for name in ("secret.yaml", "configmap.yaml")] == before
