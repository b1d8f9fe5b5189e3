"""Serves checks of drift by Evidently: `python -m seaway.dev.uis.evidently_process WORKSPACE PORT PROJECT=FILE ...`.

The workspace is made anew of the checks that are there, a project a pipeline.
"""

import shutil
import sys
from pathlib import Path
from typing import Any

LOOPBACK = "127.0.0.1"


def main(folder: str, port: str, *checks: str) -> None:
    """Serve until ended."""
    from evidently.ui.service.app import run_local
    from evidently.ui.workspace import Workspace

    shutil.rmtree(folder, ignore_errors=True)
    _fill(Workspace(folder), checks)
    run_local(LOOPBACK, int(port), folder)


def _fill(workspace: Any, checks: tuple[str, ...]) -> None:
    from evidently.core.report import Snapshot

    projects: dict[str, Any] = {}
    for check in checks:
        name, _, file = check.partition("=")
        project = projects.get(name) or projects.setdefault(name, workspace.create_project(name))
        workspace.add_run(project.id, Snapshot.loads(Path(file).read_text(encoding="utf-8")))


if __name__ == "__main__":
    main(*sys.argv[1:])
