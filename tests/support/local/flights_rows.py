"""Real flights of some days as rows to train on: what one knows before departure, and whether they were late."""

from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from seaway_examples.flights.source import read_tables

NUMERIC, CATEGORICAL = ["distance", "hour", "day"], ["carrier", "origin", "dest"]
COLUMNS = {"numeric": NUMERIC, "categorical": CATEGORICAL, "label": "late"}
PARAMS = {**COLUMNS, "hidden": [16], "embedding": 4, "epochs": 3, "patience": 3}
DAYS = 10  # of January 2013 that are learned from; the next four are looked at


def write_flights(folder: Path) -> None:
    """`train.parquet` and `validation.parquet`, in the order of time."""
    flights = read_tables(months=[1], rows=12_000)["flights"]
    departure = flights["scheduled_departure"]
    rows = pa.table(
        {
            **{name: flights[name].cast(pa.string()) for name in CATEGORICAL},
            "distance": flights["distance"],
            "hour": pc.hour(departure),
            "day": pc.day(departure),
            "late": flights["late"],
        }
    ).drop_null()
    for name, days in (("train", range(DAYS + 1)), ("validation", range(DAYS + 1, DAYS + 5))):
        pq.write_table(rows.filter(pc.is_in(rows["day"], pa.array(days, pa.int64()))), folder / f"{name}.parquet")
