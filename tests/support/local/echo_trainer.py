"""A user's own torch.distributed main: writes the output contract, or misbehaves as its params say."""

import argparse
import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import torch
import torch.distributed as dist
from torch.utils.data import DataLoader, Dataset


def listening_addresses() -> list[str]:
    """Local addresses of this session's listening sockets, hexadecimal, as /proc tells them."""
    inodes = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "environ").read_bytes() == Path("/proc/self/environ").read_bytes():
                inodes |= {str(link.readlink()) for link in (process / "fd").iterdir()}
        except OSError:
            continue
    sockets = [
        line.split() for name in ("tcp", "tcp6") for line in Path("/proc/net", name).read_text().splitlines()[1:]
    ]
    return [fields[1] for fields in sockets if fields[3] == "0A" and f"socket:[{fields[9]}]" in inodes]


class Endless(Dataset):
    """Its rows never come."""

    def __len__(self) -> int:
        return 1

    def __getitem__(self, row: int) -> int:
        threading.Event().wait()
        return row


def misbehave(how: str, rank: int) -> None:
    if how == "raise" and rank == 1:
        raise ValueError("the moon is in the wrong phase")
    if how == "exit" and rank == 1:
        sys.exit("no licence")
    if how == "die" and rank == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "sleep":
        sys.stdout.write("sleeping\n")
        sys.stdout.flush()
        time.sleep(600)

    if how == "leave the peer alone" and rank == 1:
        threading.Event().wait()
    if how == "load":
        next(iter(DataLoader(Endless(), num_workers=1)))
    if how == "compute":
        end = time.monotonic() + 8
        while time.monotonic() < end:
            torch.ones(100, 100) @ torch.ones(100, 100)


def main(spec: dict) -> None:
    dist.init_process_group("gloo")
    rank, output = dist.get_rank(), Path(spec["output"])
    misbehave(spec["params"].get("how", ""), rank)
    total = torch.tensor([rank + 1.0])
    dist.all_reduce(total)
    sys.stdout.write(f"hello from {rank}\n")
    if rank == 0:
        addresses = listening_addresses()
        metrics = {"total": total.item(), "workers": dist.get_world_size(), "addresses": addresses}
        (output / "metrics.json").write_text(json.dumps(metrics))
        for name in ("model.pt2", "model.safetensors", "history.jsonl"):
            (output / name).write_text("")
        if spec["params"].get("how") != "forget":
            (output / "signature.json").write_text("{}")
    dist.barrier()
    dist.destroy_process_group()
    sys.exit(0)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=Path, required=True)
    main(json.loads(parser.parse_args().spec.read_text()))
