"""kustomize/signing.sh: a key pair that signs what it verifies, made once, its public half given to every step."""

import base64
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from kustomizing import KUBECTL, PROJECT
from seaway.errors import PackageRefused
from seaway.models.signing import PRIVATE_KEY, PUBLIC_KEY, check_signature, sign, signing_keys
from seaway.platforms.pod_settings import SETTINGS, SIGNING

pytestmark = pytest.mark.skipif(not (KUBECTL and shutil.which("openssl")), reason="kubectl and openssl are not on PATH")
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
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def mounted(folder: Path) -> tuple[Path, Path]:
    """The files of the Secret and of the settings, as a pod finds them."""
    secret, settings = (yaml.safe_load((folder / f"{kind}.yaml").read_text()) for kind in ("secret", "configmap"))
    assert (secret["metadata"]["name"], settings["metadata"]["name"]) == (SIGNING.object, SETTINGS.object)
    contents = {name: base64.b64decode(text) for name, text in secret["data"].items()}
    signing, public = folder / SIGNING.object, folder / SETTINGS.object
    for place in (signing, public):
        place.mkdir()
    for name, content in contents.items():
        (signing / name).write_bytes(content)
    for name, text in settings["data"].items():
        (public / name).write_text(text)
    return signing, public


def test_what_the_secret_signs_the_settings_verify(cluster: Path) -> None:
    subprocess.run([SCRIPT, "team"], check=True)
    signing, settings = mounted(cluster)
    assert {file.name for file in signing.iterdir()} == {PRIVATE_KEY, PUBLIC_KEY}
    assert {file.name for file in settings.iterdir()} == {PUBLIC_KEY}
    package, before = cluster / "package", (signing / PUBLIC_KEY).stat().st_ino
    package.mkdir()
    (package / "weights").write_bytes(b"1")
    sign(package, signing_keys(signing).private)
    assert (signing / PUBLIC_KEY).stat().st_ino == before, "it was written anew, and a mount cannot be"
    check_signature(package, settings / PUBLIC_KEY)
    (package / "weights").write_bytes(b"2")
    with pytest.raises(PackageRefused):
        check_signature(package, settings / PUBLIC_KEY)


def test_run_again_it_keeps_the_pair(cluster: Path) -> None:
    subprocess.run([SCRIPT, "team"], check=True)
    before = [(cluster / name).read_text() for name in ("secret.yaml", "configmap.yaml")]
    subprocess.run([SCRIPT, "team"], check=True)
    assert [(cluster / name).read_text() for name in ("secret.yaml", "configmap.yaml")] == before
