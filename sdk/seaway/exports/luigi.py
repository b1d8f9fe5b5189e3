"""A module of Luigi tasks, one a step, which needs nothing of Seaway to be imported."""

import json

from seaway.exports.port import Source
from seaway.exports.units import Unit

HEAD = '''\
"""{name}: made by `seaway export luigi`. Workers have Seaway, and share $SEAWAY_HOME and this folder."""

import os
import subprocess
from pathlib import Path

import luigi

HERE = Path(__file__).resolve().parent
HOME = Path(os.environ.get("SEAWAY_HOME", ".seaway")).absolute()


class Step(luigi.Task):
    """One step of the run; it is complete when it has succeeded, or was not due, in this run."""

    run_name = luigi.Parameter(description="name of the run that all steps share")
    parameters = luigi.Parameter(default="", description="values of the pipeline's parameters, as JSON")
    place = ""
    after: tuple[str, ...] = ()

    def requires(self):
        return [globals()[name](run_name=self.run_name, parameters=self.parameters) for name in self.after]

    def output(self):
        return luigi.LocalTarget(str(HOME / "runs" / self.run_name / "done" / type(self).__name__))

    def run(self):
        command = [os.environ.get("SEAWAY", "seaway"), "step", str(HERE / {compiled}), self.place]
        environment = {{**os.environ, "SEAWAY_HOME": str(HOME), "SEAWAY_PARAMETERS": self.parameters}}
        subprocess.run([*command, "--run", self.run_name], env=environment, check=True)
        with self.output().open("w") as done:
            done.write("")


'''
TAIL = '''\
class Pipeline(luigi.WrapperTask):
    """All of them."""

    run_name = luigi.Parameter()
    parameters = luigi.Parameter(default="")

    def requires(self):
        return [globals()[name](run_name=self.run_name, parameters=self.parameters) for name in {steps}]


if __name__ == "__main__":
    luigi.run()
'''


class Luigi:
    """The tasks of a pipeline."""

    file = "{name}_luigi.py"
    apart = True
    losses = (
        "exit tasks after a failure: Luigi starts nothing after a task that has failed; after a success they run",
        "schedules, for which there is cron",
    )
    advice = "Run it: python {file} Pipeline --local-scheduler --run-name monday"

    def write(self, source: Source) -> str:
        """See `Exporter.write`."""
        head = HEAD.format(name=source.name, compiled=json.dumps(source.compiled.name))
        steps = json.dumps([_class(unit.name) for unit in source.units])
        return head + "\n\n".join(map(_task, source.units)) + "\n\n" + TAIL.format(steps=steps)


def _task(unit: Unit) -> str:
    after = "".join(f"{json.dumps(_class(name))}, " for name in unit.after)
    return f"class {_class(unit.name)}(Step):\n    place = {json.dumps(unit.place)}\n    after = ({after})\n"


def _class(name: str) -> str:
    return f"Step_{name.replace('-', '_')}"
