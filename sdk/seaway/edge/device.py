"""A machine that a model is measured on, reached by this one's own ssh: the same script as here, its figures brought.

Only Python, NumPy and the target's runtime have to be there, and `tar`. Keys, known hosts and ports are those of
ssh's own configuration; nobody is asked for a password, and a host whose key is not known is refused by ssh itself.
"""

import re
import shlex
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from seaway.errors import DataUnreadable, InvalidSpec

SCHEME = "ssh"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]*")  # never an option of ssh
LAST = 300  # characters of what the device wrote
SETTINGS = ("-o", "BatchMode=yes", "-o", "ConnectTimeout=20")


@dataclass(frozen=True)
class Device:
    """A machine by its address, and the Python that answers there.

    Attributes:
        host: name or address, or a `Host` of ssh's configuration.
        user: empty for ssh's own choice.
        port: 0 for ssh's own choice.
        python: program on the device.
        config: file of ssh's settings instead of the user's; empty for the user's.
    """

    host: str
    user: str = ""
    port: int = 0
    python: str = "python3"
    config: str = ""

    @classmethod
    def of(cls, address: str) -> "Device":
        """`ssh://[user@]host[:port][?python=PROGRAM&config=FILE]`. Raises: InvalidSpec: it is none."""
        try:
            parts = urlsplit(address)
            host, user, port = parts.hostname or "", parts.username or "", parts.port or 0
            told = {
                name: values[-1] for name, values in parse_qs(parts.query, strict_parsing=bool(parts.query)).items()
            }
        except ValueError as error:
            raise InvalidSpec(f"The device {address!r} is no address: {error}.") from error
        legal = parts.scheme == SCHEME and NAME.fullmatch(host) and (not user or NAME.fullmatch(user))
        if not legal or parts.path.strip("/") or set(told) - {"python", "config"} or parts.password:
            raise InvalidSpec(
                f"The device {address!r} is no address of the form ssh://[user@]host[:port][?python=PROGRAM]; "
                "passwords are not taken, ssh has keys."
            )
        return cls(host, user, port, **told)

    @property
    def ssh(self) -> list[str]:
        """The words that a command on the device begins with."""
        port = ["-p", str(self.port)] if self.port else []
        config = ["-F", self.config] if self.config else []
        return ["ssh", *SETTINGS, *config, *port, f"{self.user}@{self.host}" if self.user else self.host]

    def run(self, folder: Path, words: Sequence[str], brings: str, timeout_s: float) -> None:
        """Copy a folder to the device, run Python there with `words` in it, and bring what it wrote to `brings` back.

        Args:
            folder: Copied whole, and where `brings` arrives; the copy on the device is removed at the end.
            words: A script and its arguments, relative to the folder.
            brings: A folder within it.
            timeout_s: Seconds for all of it.

        Raises:
            InvalidSpec: there is no ssh here.
            DataUnreadable: the device is not reached, its Python fails, or takes too long.
        """
        command = " ".join(map(shlex.quote, (self.python, *words)))
        remote = (
            'set -e; folder=$(mktemp -d); trap \'rm -rf "$folder"\' EXIT; cd "$folder"; tar -xf -; '
            f"{command} 1>&2; tar -cf - {shlex.quote(brings)}"
        )
        packed = subprocess.run(["tar", "-cf", "-", "."], cwd=folder, capture_output=True, check=True).stdout
        try:
            done = subprocess.run(
                [*self.ssh, remote], input=packed, capture_output=True, timeout=timeout_s, check=False
            )
        except FileNotFoundError as error:
            raise InvalidSpec("There is no ssh on this machine; install an OpenSSH client.") from error
        except subprocess.TimeoutExpired as error:
            raise DataUnreadable(f"The device {self.host} did not answer within {timeout_s:g} s.") from error
        if done.returncode:
            told = " ".join(done.stderr.decode(errors="replace").split())[-LAST:]
            raise DataUnreadable(
                f"The device {self.host} did not run the model (exit code {done.returncode}): {told} See that ssh "
                f"reaches it without a password, and that {self.python} there has NumPy and the target's runtime."
            )
        subprocess.run(["tar", "-xf", "-", "--no-same-owner"], cwd=folder, input=done.stdout, check=True)
