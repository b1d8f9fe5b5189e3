"""A program of MPI: each rank has its rows, gradients are added up by Allreduce, the first rank leaves the model."""

import argparse
import os
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from mpi4py import MPI

parser = argparse.ArgumentParser()
parser.add_argument("--fail", action="store_true")
parser.add_argument("--sleep", action="store_true")
arguments = parser.parse_args()
world = MPI.COMM_WORLD
if arguments.fail and world.rank == 1:
    sys.exit("the moon is in the wrong phase")
if arguments.sleep:
    Path(os.environ["SEAWAY_CHECKPOINTS"], f"rank-{world.rank}").touch()
    time.sleep(600)

table = pq.read_table(os.environ["SEAWAY_TRAIN"])
rows = np.column_stack([table["size"], table["good"]])
mine = rows[world.rank :: world.size]
weight = np.zeros(2)
for _ in range(50):
    away = 1 / (1 + np.exp(-(mine[:, :1] @ weight[:1] + weight[1]))) - mine[:, 1]
    slope = np.array([away @ mine[:, 0], away.sum()])
    world.Allreduce(MPI.IN_PLACE, slope)
    weight -= 0.5 * slope / len(rows)

if world.rank == 0:
    import skops.io
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression().fit(table.select(["size"]).to_pandas(), table["good"].to_numpy())
    model.coef_[:], model.intercept_[:] = weight[:1], weight[1]
    output = Path(os.environ["SEAWAY_OUTPUT"])
    skops.io.dump(model, output / "model.skops")
    lent = [name for name in os.environ if name.startswith(("WORLD_SIZE", "MASTER_", "TORCHELASTIC_"))]
    (output / "metrics.json").write_text(f'{{"ranks": {world.size}, "weight": {weight[0]}, "lent": {len(lent)}}}')
