"""`make lock` for the model servers that cannot be installed beside Seaway: writes each one's `requirements.txt`.

A server's `requirements.in` is resolved whole, the pins that stand and then Seaway's own preferred. What an
installation with the extra `serving` has in the same version is left out: it stands behind the server's own folder.
"""

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[1]
LOCK, RUN_LOCK = PROJECT / "requirements.lock", PROJECT / "requirements-run.lock"
SERVERS = sorted((PROJECT / "sdk" / "seaway" / "model_server").glob("*/requirements.in"))
PYTHON = "3.11"  # whose pins later ones take as well
HEAD = """\
# What this server needs and Seaway's environment has not, or has in a version that the server refuses; for a folder
# that stands before Seaway's packages. By `make lock`, from requirements.in.
"""


def pins(text: str) -> dict[str, str]:
    """Lines `name==version` by name."""
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {line.partition("==")[0]: line for line in lines}


def lacking(resolved: dict[str, str], own: dict[str, str]) -> list[str]:
    """The pins that Seaway's environment has not, or in another version."""
    return sorted(line for name, line in resolved.items() if own.get(name) != line)


def resolve(asked: Path, preferred: dict[str, str], words: Sequence[str]) -> dict[str, str]:
    """All pins of what is asked for. Raises: CalledProcessError: there are none that fit together."""
    with tempfile.TemporaryDirectory() as folder:
        output = Path(folder) / "requirements.txt"  # uv prefers what stands in the file that it writes
        output.write_text("\n".join(preferred.values()) + "\n", encoding="utf-8")
        uv = [str(Path(sys.executable).with_name("uv")), "pip", "compile", "--quiet", "--python-version", PYTHON]
        told = ["--no-emit-index-url", "--no-annotate", "--no-header", "--output-file", str(output), *words]
        subprocess.run([*uv, *told, str(asked)], check=True, stdout=subprocess.DEVNULL)
        return pins(output.read_text(encoding="utf-8"))


def main(words: Sequence[str]) -> None:
    """Write the pins of each server; `words` are uv's, such as `--upgrade`."""
    own, behind = (pins(file.read_text(encoding="utf-8")) for file in (LOCK, RUN_LOCK))
    for asked in SERVERS:
        file = asked.with_suffix(".txt")
        standing = pins(file.read_text(encoding="utf-8")) if file.exists() else {}
        found = lacking(resolve(asked, {**own, **standing}, words), behind)
        file.write_text(HEAD + "\n".join(found) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
