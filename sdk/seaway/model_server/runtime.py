"""`python -m seaway.model_server.runtime`: what KServe's ServingRuntime `seaway` runs.

KServe has put the package into the pod. Arguments of an InferenceService's model come after the runtime's, and win.
"""

import argparse
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from seaway.entrypoint import run
from seaway.errors import InvalidSpec
from seaway.model_server import pod
from seaway.model_server.arm import SCRATCH_VARIABLE, SERVER, TOKEN_VARIABLE, RemoteArm
from seaway.models.package import check_files, content_sha256
from seaway.serving.port import VERSION_DIGITS
from seaway.storage import write_private

TOKEN = "SEAWAY_TOKEN"  # noqa: S105  # the environment's, which a Secret fills


def arm_of(arguments: Sequence[str]) -> tuple[RemoteArm, Path]:
    """What is served, and the package where it lies.

    Raises:
        InvalidSpec: an argument is out of range.
        PackageRefused: there is no package.
    """
    settings = vars(_parser().parse_args(arguments))
    package = behind_links(settings.pop("package"))
    check_files(package)
    version = content_sha256(package)[:VERSION_DIGITS]
    return RemoteArm(version=version, package=str(package), **settings), package


def behind_links(folder: Path) -> Path:
    """The folder whose files `folder` has links to, as KServe's storage initializer lays down what is on a volume.

    A package holds no links, so what is only links is looked for where it is; all else is `folder` itself.
    """
    files = list(folder.iterdir()) if folder.is_dir() else []
    targets = [file.resolve() for file in files if file.is_symlink()]
    places = {target.parent for target in targets}
    alike = [target.name for target in targets] == [file.name for file in files]
    return places.pop() if alike and len(places) == 1 else folder


def token_file(environment: Mapping[str, str]) -> Path:
    """The token, as a file that its owner only can read. Raises: InvalidSpec: there is none."""
    if not (token := environment.get(TOKEN, "").strip()):
        raise InvalidSpec(
            f"{TOKEN} holds no token, so nobody could be known: put one into the Secret seaway-endpoint-tokens under "
            "the InferenceService's name."
        )
    file = Path(environment[SCRATCH_VARIABLE]) / "token"
    write_private(file, token)
    return file


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m seaway.model_server.runtime")
    parser.add_argument("--name", required=True, help="of the model and of the endpoint")
    parser.add_argument("--package", type=Path, default=Path("/mnt/models"), help="folder of the package")
    parser.add_argument("--server", default=SERVER, help="backend of the port ModelServer")
    parser.add_argument("--batch_size", type=int, default=32)
    parser.add_argument("--max_batch_delay_ms", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--gpus", type=int, default=0)
    parser.add_argument("--startup_timeout_s", type=float, default=300.0)
    parser.add_argument("--drain_s", type=float, default=20.0)
    parser.add_argument("--requests_per_s", type=int, default=0)
    parser.add_argument("--access_log", action="store_true")
    return parser


def main() -> None:
    """Serve what the arguments name."""
    ended = pod.until_told()
    arm, package = arm_of(sys.argv[1:])
    pod.serve(arm, {**os.environ, TOKEN_VARIABLE: str(token_file(os.environ))}, ended, package)


if __name__ == "__main__":
    run(main)
