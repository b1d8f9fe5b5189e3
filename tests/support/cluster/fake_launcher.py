"""What the launcher of Kubeflow Pipelines does in a step's pod, played: `python3 -c SOURCE COMMAND...`.

Inputs come from the store, the component's command runs, its outputs go to the store; those of a step that fails end
with its pod. The executor input names artifacts by URI, and a component finds s3://BUCKET/KEY at /s3/BUCKET/KEY, as
under Kubeflow. The store's keys are the launcher's own: the component's process gets the pod's environment as it was.
What the launcher tells the database of metadata of a step, this one leaves in the store: parameters, its output file.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

KEYS = Path("/fake-launcher")
INPUT = "--executor_input"


def launch(command: list[str]) -> int:
    """Exit code of the component."""
    environment = dict(os.environ)
    os.environ.update({file.name: file.read_text() for file in KEYS.glob("[A-Z]*")})
    from seaway.storage import storage_for

    place = command.index(INPUT) + 1
    executor_input = json.loads(command[place])
    for uri in _artifacts(executor_input["inputs"]):
        if storage_for(uri).exists(uri):  # metrics have no file
            storage_for(uri).download(uri, _local(uri))
    outputs = executor_input["outputs"]
    told = [outputs, *outputs.get("parameters", {}).values()]
    results = [*(one["outputFile"] for one in told), *_artifacts(outputs)]
    for one in told:
        one["outputFile"] = str(_local(one["outputFile"]))
    for uri in results:
        _local(uri).parent.mkdir(parents=True, exist_ok=True)
    command[place] = json.dumps(executor_input)
    code = subprocess.run(command, env=environment, check=False).returncode
    for uri in [] if code else results:
        if _local(uri).exists():
            storage_for(uri).upload(_local(uri), uri)
    return code


def _artifacts(side: dict[str, Any]) -> Iterator[str]:
    """URIs of the inputs' or outputs' artifacts."""
    for listed in side.get("artifacts", {}).values():
        yield from (artifact["uri"] for artifact in listed["artifacts"])


def _local(uri: str) -> Path:
    return Path("/" + uri.replace("://", "/", 1))


if __name__ == "__main__":
    sys.exit(launch(sys.argv[1:]))
