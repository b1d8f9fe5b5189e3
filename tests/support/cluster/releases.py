"""A candidate brought to a served model by the product's own steps; `releases.py FILE` is its rollout as a process."""

import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kfp import dsl
from seaway.serving import DeployedEndpoint
from seaway_components.rollout.roll_out.component import roll_out
from seaway_components.serving.deploy_endpoint.component import deploy_endpoint

WEIGHTS, REQUESTS = [10, 50, 100], [160, 240, 80]
LATENCY_MARGIN = 3.0  # three quarters slower is tolerated: arms of one pod each, where others work


@dataclass(frozen=True)
class Release:
    """What the two steps are given; `folder` is where they leave what they make."""

    folder: str
    name: str
    stable: str
    candidate: str
    replay: str
    version: str

    def deploy(self) -> DeployedEndpoint:
        models = {arm: dsl.Model(name=arm, uri=getattr(self, arm)) for arm in ("stable", "candidate")}
        links = dsl.Markdown(name="links", uri=f"{self.folder}/links.md")
        deploy_endpoint.python_func(**models, endpoint=self._artifact("endpoint"), links=links, name=self.name)
        return DeployedEndpoint.read(Path(self.folder, "endpoint", "endpoint.json"))

    def roll_out(self) -> dict[str, Any]:
        """What the step has told."""
        roll_out.python_func(
            endpoint=self._artifact("endpoint"),
            replay=dsl.Dataset(name="replay", uri=self.replay),
            rollout=self._artifact("rollout"),
            metrics=dsl.Metrics(name="metrics", uri=f"{self.folder}/metrics"),
            model_name=self.name,
            version=self.version,
            weights=WEIGHTS,
            requests=REQUESTS,
            latency_margin=LATENCY_MARGIN,
        )
        return self.told()

    def told(self) -> dict[str, Any]:
        """`rollout.json`."""
        told: dict[str, Any] = json.loads(Path(self.folder, "rollout", "rollout.json").read_text())
        return told

    def write(self) -> Path:
        file = Path(self.folder, "release.json")
        file.write_text(json.dumps(asdict(self)))
        return file

    def _artifact(self, name: str) -> dsl.Artifact:
        return dsl.Artifact(name=name, uri=f"{self.folder}/{name}")


if __name__ == "__main__":
    Release(**json.loads(Path(sys.argv[1]).read_text())).roll_out()
