"""A DAG file for Airflow 3 (and 2.7 or later), which needs nothing of Seaway to be parsed."""

import json

from seaway.exports.port import Source
from seaway.exports.units import Unit

SKIPPED = 99  # what BashOperator takes for a task that is to be skipped
HEAD = '''\
"""{name}: made by `seaway export airflow`. Workers have Seaway, and share $SEAWAY_HOME and this folder."""

from datetime import datetime
from pathlib import Path

try:
    from airflow.providers.standard.operators.bash import BashOperator
    from airflow.sdk import DAG
except ImportError:  # Airflow 2
    from airflow import DAG
    from airflow.operators.bash import BashOperator

HERE = Path(__file__).resolve().parent
STEP = '"${{SEAWAY:-seaway}}" step "$PIPELINE" "$PLACE" --run "$RUN" --skipped {skipped}'
PARAMETERS = {parameters}


def step(name: str, place: str, always: bool) -> BashOperator:
    """A task that carries out one step; what is not due is skipped, and what runs always waits for all ends."""
    return BashOperator(
        task_id=name,
        bash_command=STEP,
        env={{
            "PIPELINE": str(HERE / {compiled}),
            "PLACE": place,
            "RUN": "{{{{ run_id }}}}",
            "SEAWAY_PARAMETERS": "{{{{ params | tojson }}}}",
        }},
        append_env=True,
        skip_on_exit_code={skipped},
        trigger_rule="all_done" if always else "none_failed",
    )


with DAG(
    dag_id={name!r},
    start_date=datetime(2020, 1, 1),
    schedule=None,
    catchup=False,
    params=PARAMETERS,
    tags=["seaway"],
) as dag:
'''
END = (
    'end = BashOperator(task_id="end", bash_command="true", trigger_rule="none_failed")  # fails the run if a task did'
)


class Airflow:
    """The DAG file of a pipeline."""

    file = "{name}.py"
    apart = True
    losses = ("the pipeline's parameter types: Airflow hands over what the DAG's params are",)
    advice = "Put {file} and the compiled file beside it into the DAG folder; `airflow dags test {name}` runs it."

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        head = HEAD.format(
            name=source.name,
            parameters=repr(dict(source.parameters)),
            compiled=json.dumps(source.compiled.name),
            skipped=SKIPPED,
        )
        lines = [_task(unit) for unit in source.units]
        edges = [edge for unit in source.units for edge in _edges(unit)]
        end = f"[{', '.join(_variable(unit.name) for unit in source.units)}] >> end"
        return head + "\n".join(f"    {line}" for line in [*lines, *edges, END, end]) + "\n"


def _task(unit: Unit) -> str:
    return f"{_variable(unit.name)} = step({json.dumps(unit.name)}, {json.dumps(unit.place)}, always={unit.always})"


def _edges(unit: Unit) -> list[str]:
    before = ", ".join(map(_variable, unit.after))
    return [f"[{before}] >> {_variable(unit.name)}"] if before else []


def _variable(name: str) -> str:
    return f"step_{name.replace('-', '_')}"
