"""uv, which installs what does not stand beside Seaway: packages of a step, or of a model server."""

import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence

from seaway.errors import InvalidSpec

PIP_SETTINGS = {  # that a user's machine gives to pip -> those of uv
    "PIP_INDEX_URL": "UV_DEFAULT_INDEX",
    "PIP_EXTRA_INDEX_URL": "UV_INDEX",
    "PIP_FIND_LINKS": "UV_FIND_LINKS",
    "PIP_CERT": "SSL_CERT_FILE",
}


def uv() -> str:
    """The uv that is installed beside Seaway, or on PATH. Raises: InvalidSpec: there is none."""
    from uv import find_uv_bin

    try:
        return find_uv_bin()
    except FileNotFoundError:
        if found := shutil.which("uv"):
            return found
        raise InvalidSpec("An environment of its own needs uv; `pip install uv` brings it.") from None


def run(words: Sequence[str], what: str) -> None:
    """Run uv with these words. Raises: InvalidSpec: it fails; the message says that `what` cannot be made, and why."""
    done = subprocess.run([uv(), *words], capture_output=True, text=True, check=False, env=_settings(os.environ))
    if done.returncode:
        why = " ".join(re.sub(r"[^\x20-\x7e]", " ", done.stderr).split())
        raise InvalidSpec(f"{what} cannot be made: {why}")


def _settings(environment: Mapping[str, str]) -> dict[str, str]:
    """What a user's machine says to pip holds for uv, unless it says otherwise to uv."""
    told = {uv: environment[pip] for pip, uv in PIP_SETTINGS.items() if environment.get(pip)}
    own = {name: value for name, value in environment.items() if name != "VIRTUAL_ENV"}
    return {**told, **own, "UV_PYTHON_DOWNLOADS": "never"}
