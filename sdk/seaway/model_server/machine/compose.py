"""The project of Docker Compose: one container without privileges, published on loopback alone."""

import shlex
from dataclasses import replace
from typing import Any

import yaml

from seaway.model_server.arm import (
    FETCH,
    KEY_VARIABLE,
    PACKAGE,
    PORT,
    READY,
    SCRATCH_VARIABLE,
    SERVE,
    STATISTICS_PORT,
    TOKEN_VARIABLE,
    VARIABLE,
    RemoteArm,
)

SCRATCH, MODEL = "/scratch", "/model"
USER = "${SEAWAY_USER:-1000:1000}"  # whose the folder is: the token is nobody else's to read
HEALTH = f"import urllib.request; urllib.request.urlopen('http://127.0.0.1:{STATISTICS_PORT}{READY}', timeout=5)"
ENDS_S = 15


def project(arm: RemoteArm, image: str) -> str:
    """The project of an arm whose package is beside it."""
    described = {"name": f"seaway-{arm.name}", "services": {arm.name: _service(arm, image)}}
    text = yaml.safe_dump(described, sort_keys=False, width=120)
    return f"# Made by `seaway export-machine`. Model {arm.name}, version {arm.version}.\n{text}"


def _service(arm: RemoteArm, image: str) -> dict[str, Any]:
    told = replace(arm, package=f"{MODEL}/{PACKAGE}")
    environment = {
        VARIABLE: told.text.replace("$", "$$"),  # which Compose would fill
        SCRATCH_VARIABLE: SCRATCH,
        KEY_VARIABLE: f"{MODEL}/signing.pub",
        TOKEN_VARIABLE: f"{MODEL}/token",
        "SEAWAY_HOME": f"{SCRATCH}/home",
        "HOME": SCRATCH,
        "OMP_NUM_THREADS": str(arm.threads),
    }
    return {
        "image": image,
        "command": ["sh", "-c", f"{shlex.join(FETCH)} && exec {shlex.join(SERVE)}"],
        "environment": environment,
        "user": USER,
        "read_only": True,
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges:true"],
        "volumes": [{"type": "bind", "source": ".", "target": MODEL, "read_only": True}],
        "tmpfs": [f"{SCRATCH}:mode=1777", "/tmp:mode=1777"],  # noqa: S108  # a container's own
        "ports": [f"127.0.0.1:{PORT}:{PORT}"],
        "healthcheck": {
            "test": ["CMD", "python", "-c", HEALTH],
            "interval": "10s",
            "timeout": "10s",
            "start_period": f"{arm.startup_timeout_s:.0f}s",
        },
        "stop_grace_period": f"{arm.drain_s + ENDS_S:.0f}s",
        "restart": "unless-stopped",
    }
