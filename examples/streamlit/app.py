"""A page of your own over the runs of this folder: `streamlit run app.py`, where SEAWAY_HOME is or beside .seaway.

It reads what `seaway runs` and `seaway dev` read. The functions make tables; `main` alone knows Streamlit.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pandas as pd
from seaway.kfp.local.comparison import figures
from seaway.kfp.local.records import records

Record = Mapping[str, Any]


def runs_table(found: Sequence[Record]) -> pd.DataFrame:
    """A row a run, latest first."""
    rows = [
        {
            "run": run["run"],
            "pipeline": run["pipeline"],
            "state": run["state"],
            "begun": datetime.fromtimestamp(run["begun"], UTC),
            "seconds": round(run["seconds"], 1),
        }
        for run in found
    ]
    return pd.DataFrame(rows, columns=["run", "pipeline", "state", "begun", "seconds"])


def numbers_table(found: Sequence[Record]) -> pd.DataFrame:
    """A column a figure that is a number, a row a run, oldest first; what a run lacks is NaN."""
    rows = {run["run"]: _numbers(run) for run in reversed(found)}
    return pd.DataFrame.from_dict(rows, orient="index")


def _numbers(run: Record) -> dict[str, float]:
    return {
        name.replace(": ", " / "): float(value)  # a chart takes a colon for a type
        for name, value in figures(run).items()
        if isinstance(value, int | float) and not isinstance(value, bool)
    }


def steps_table(run: Record) -> pd.DataFrame:
    """A row a step, in the order in which they began."""
    columns = ["title", "state", "seconds", "figure"]
    return pd.DataFrame([{name: step[name] for name in columns} for step in run["steps"]], columns=columns)


def main() -> None:
    """The page."""
    import streamlit as st

    st.set_page_config(page_title="Runs", layout="wide")
    st.title("Runs")
    found = records()
    if not found:
        st.info("No runs yet; `seaway run PIPELINE` makes one.")
        return
    pipeline = st.selectbox("Pipeline", sorted({run["pipeline"] for run in found}))
    chosen = [run for run in found if run["pipeline"] == pipeline]
    st.dataframe(runs_table(chosen), hide_index=True)
    numbers = numbers_table(chosen)
    if shown := st.multiselect("Figures over runs", list(numbers.columns), list(numbers.columns)[:1]):
        st.line_chart(numbers[shown])
    name = st.selectbox("Steps of", [run["run"] for run in chosen])
    st.dataframe(steps_table(next(run for run in chosen if run["run"] == name)), hide_index=True)


if __name__ == "__main__":
    main()
