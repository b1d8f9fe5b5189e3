"""`seaway manifests endpoint`: an endpoint as objects for git."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from seaway.cli.run import arguments


def write_endpoint(
    name: str,
    packages: Mapping[str, str],
    backend: str,
    hosting: Path | None,
    public_key: Path | None,
    words: Sequence[str],
    folder: Path,
) -> list[Path]:
    """Write the endpoint's folder; returns the files that changed."""
    import yaml

    from seaway.models import verifying_key
    from seaway.platforms.home import keys
    from seaway.platforms.kubernetes.serving.gitops import GitEndpoint
    from seaway.platforms.kubernetes.serving.gitops import write_endpoint as write

    if hosting:
        os.environ["SEAWAY_HOSTING"] = str(hosting)
    serving = {parameter: yaml.safe_load(str(value)) for parameter, value in arguments(words).items()}
    return write(GitEndpoint(name, packages, backend, public_key or verifying_key(keys()), serving), folder)
