"""A user's own training without PyTorch: its figures follow from its params, and it misbehaves as they say."""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


def misbehave(how: str, epoch: int) -> None:
    if how == "raise" and epoch == 2:
        raise ValueError("the moon is in the wrong phase")
    if how == "die" and epoch == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if how == "hang" and epoch == 2:
        threading.Event().wait()
    if how == "child" and epoch == 1:
        subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])


def main(spec: dict) -> None:
    params, output = spec["params"], Path(spec["output"])
    history = []
    for epoch in range(1, params["epochs"] + 1):
        misbehave(params.get("how", ""), epoch)
        time.sleep(params.get("pace", 0.05))
        score = params["x"] * (1 - 0.5**epoch)
        history.append({"epoch": epoch, "score": float("nan") if params.get("how") == "nan" else score})
        draft = output / "draft"
        draft.write_text("".join(json.dumps(entry) + "\n" for entry in history))
        draft.rename(output / "history.jsonl")
    cost = params["x"] ** 2 + params.get("extra", 0)
    rows = Path(spec["train"]).stat().st_size
    draft.write_text(json.dumps({"score": history[-1]["score"], "cost": cost, "size": rows}))
    draft.rename(output / "metrics.json")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--spec", type=Path, required=True)
    main(json.loads(parser.parse_args().spec.read_text()))
