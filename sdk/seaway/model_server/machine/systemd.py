"""The unit of systemd: a user of its own, nothing writable but its cache, and loopback alone."""

import shlex
from dataclasses import replace
from pathlib import Path

from seaway.model_server.arm import (
    FETCH,
    KEY_VARIABLE,
    PACKAGE,
    SCRATCH_VARIABLE,
    SERVE,
    TOKEN_VARIABLE,
    VARIABLE,
    RemoteArm,
)

UNIT = """\
# Made by `seaway export-machine`. Model {name}, version {version}.
[Unit]
Description=Model {name} by Seaway
Wants=network-online.target
After=network-online.target

[Service]
{environment}
LoadCredential=token:{folder}/token
ExecStartPre={fetch}
ExecStart={serve}
Restart=on-failure
RestartSec=5
TimeoutStartSec={start_s:.0f}
TimeoutStopSec={stop_s:.0f}
KillMode=mixed
DynamicUser=yes
CacheDirectory={cache}
CacheDirectoryMode=0700
# Only this machine asks: put what ends TLS before it, or name networks here.
IPAddressDeny=any
IPAddressAllow=localhost
NoNewPrivileges=yes
CapabilityBoundingSet=
PrivateDevices=yes
PrivateTmp=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHome=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
ProtectSystem=strict
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077

[Install]
WantedBy=multi-user.target
"""
ENDS_S = 15.0  # beside the last answers: to leave the traffic, and to end


def unit(arm: RemoteArm, folder: Path, python: str) -> str:
    """The unit of an arm whose package is below `folder`."""
    cache = f"seaway-{arm.name}"
    told = replace(arm, package=str(folder / PACKAGE))
    variables = {
        VARIABLE: told.text,
        SCRATCH_VARIABLE: f"%C/{cache}",
        KEY_VARIABLE: f"{folder}/signing.pub",
        TOKEN_VARIABLE: "%d/token",
        "SEAWAY_HOME": f"%C/{cache}/home",
        "HOME": f"%C/{cache}",
        "OMP_NUM_THREADS": str(arm.threads),
        "PYTHONUNBUFFERED": "1",
    }
    return UNIT.format(
        name=arm.name,
        version=arm.version,
        environment="\n".join(f"Environment={_quoted(f'{name}={value}')}" for name, value in variables.items()),
        folder=folder,
        fetch=shlex.join([python, *FETCH[1:]]),
        serve=shlex.join([python, *SERVE[1:]]),
        start_s=arm.startup_timeout_s + ENDS_S,
        stop_s=arm.drain_s + ENDS_S,
        cache=cache,
    )


def _quoted(text: str) -> str:
    """As systemd reads a word; `%` is left to it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
