"""Derive schemas from CRD files: `python -m tools.kubernetes_schemas.crds "Istio 1.30" CRD.yaml ...`."""

import argparse
from pathlib import Path
from typing import Any

import yaml

from tools.kubernetes_schemas.published import write


def main(project: str, crds: list[Path]) -> None:
    """Write one file a served version of each CRD."""
    for path in crds:
        for crd in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            for version in crd["spec"]["versions"]:
                if version["served"]:
                    write(version["schema"]["openAPIV3Schema"], _source(project, crd["spec"], version))


def _source(project: str, crd: dict[str, Any], version: dict[str, Any]) -> dict[str, str]:
    names, scale = crd["names"], version.get("subresources", {}).get("scale", {})
    source = {"group": crd["group"], "version": version["name"], "kind": names["kind"], "plural": names["plural"]}
    source |= {"scope": crd["scope"], "of": project}
    return source | ({"scale": scale["specReplicasPath"]} if scale else {})


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("project", help="whose they are, with the version")
    parser.add_argument("crds", type=Path, nargs="+", metavar="CRD.yaml", help="files that the project publishes")
    asked = parser.parse_args()
    main(asked.project, asked.crds)
