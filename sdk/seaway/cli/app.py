"""The commands and their help. Each imports its work when it is called, so that `seaway --help` stays instant.

Help is plain text: typer's boxes cost 0.17 s (they import a Markdown parser), twice what all the rest costs.
"""

import os
import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from seaway import registry
from seaway.errors import InvalidSpec
from seaway.version import VERSION

EXIT_CODES = "Exit codes: 0 done, 1 failed, 2 wrong arguments, 130 or 143 ended by Ctrl-C or SIGTERM."

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    help="From features to production on Kubeflow: components and pipelines that run the same on a laptop and on a "
    f"cluster.\n\nStart with seaway init, or with a pipeline that seaway pipelines list shows.\n\n{EXIT_CODES}",
    epilog="SEAWAY_HOME is where runs, models and endpoints are kept (default ./.seaway); "
    "SEAWAY_DEBUG=1 shows tracebacks.",
)
components_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and show components.")
pipelines_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="List and show pipelines.")
app.add_typer(components_app, name="components")
app.add_typer(pipelines_app, name="pipelines")
manifests_app = typer.Typer(rich_markup_mode=None)
app.add_typer(manifests_app, name="manifests")
versions_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Tidy the versions in a cluster.")
app.add_typer(versions_app, name="versions")
runs_app = typer.Typer(rich_markup_mode=None)
app.add_typer(runs_app, name="runs")
rollout_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Plan a rollout, or rehearse it.")
app.add_typer(rollout_app, name="rollout")
doctor_app = typer.Typer(rich_markup_mode=None)
app.add_typer(doctor_app, name="doctor")
tune_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Bring a search from another tool, or take it there."
)
app.add_typer(tune_app, name="tune")
notebook_app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Make components of notebooks.")
app.add_typer(notebook_app, name="notebook")
data_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="List, compare and bring back versions of data."
)
app.add_typer(data_app, name="data")


def _tell_version(asked: bool) -> None:
    if asked:
        typer.echo(f"seaway {VERSION}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """What can stand before a command."""


class Format(StrEnum):
    """How results are printed."""

    TEXT = "text"
    JSON = "json"


class Report(StrEnum):
    """How verdicts on manifests are printed."""

    TEXT = "text"
    JSON = "json"
    GITHUB = "github"
    SARIF = "sarif"


def _parameter_names(incomplete: str) -> list[str]:
    from seaway.cli.completion import parameters

    return parameters(incomplete)


Output = Annotated[Format, typer.Option("--output", "-o", help="text for people, json for scripts.")]
Parameters = Annotated[
    list[str] | None,
    typer.Option("--param", "-p", metavar="NAME=VALUE", help="Repeatable.", autocompletion=_parameter_names),
]
Change = Annotated[
    str, typer.Option(help="What is new in a version: its first line is shown in the list.", show_default=False)
]


def _examples(*lines: str) -> str:
    """An epilog of command lines; the mark keeps them from being wrapped into a paragraph."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines)])


EXPORTERS = [one.name for one in registry.BACKENDS if one.port == "Exporter"]


def _place(meaning: str) -> Any:
    """The option that names one of the registry's places."""

    def known(value: str | None) -> str | None:
        if value and value not in registry.PLACES:
            raise typer.BadParameter(f"{value!r} is none of {', '.join(registry.PLACES)}.")
        return value

    names = "|".join(registry.PLACES)
    return typer.Option("--platform", metavar=f"[{names}]", callback=known, help=meaning)


Fuse = Annotated[
    bool, typer.Option("--fuse/--no-fuse", help="One pod for consecutive small steps: the same artifacts, fewer pods.")
]


def _pipeline_names(incomplete: str) -> list[str]:
    from seaway.kfp import catalog

    return [entry.name for entry in catalog.pipelines() if entry.name.startswith(incomplete)]


def _component_names(incomplete: str) -> list[str]:
    from seaway.kfp import catalog

    return [entry.name for entry in catalog.components() if entry.name.startswith(incomplete)]


Pipeline = Annotated[
    str,
    typer.Argument(
        help="A pipeline's name, a .yaml or a .py file, file.py:name, or a project's folder.",
        autocompletion=_pipeline_names,
    ),
]


@app.command(
    epilog=_examples(
        "seaway init churn --from customers.csv --label churned",
        "seaway init prices --from diamonds.parquet --label price --task regression",
        "seaway init sales --from sales.csv --label amount --entity shop --time sold_at",
        "seaway init orders --from postgresql://reader@db/shop --query 'SELECT * FROM orders' --label returned",
        "seaway init kinds --images photos",
        "seaway init kinds --from photos.csv --images photos --label kind",
        "seaway init moods --from reviews.jsonl --text review --label mood",
        "seaway init demand --from sold.jsonl --label sold --time at --features my_feast_repository",
    )
)
def init(
    name: Annotated[str, typer.Argument(help="Of the folder, the model and the endpoint.")],
    data: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="FILE",
            help="CSV of any dialect, JSON lines, Parquet, or a database: postgresql://USER@HOST/NAME, sqlite:///PATH.",
        ),
    ] = "",
    label: Annotated[str, typer.Option(help="The column that is to be predicted.")] = "",
    task: Annotated[
        str, typer.Option(help="binary, multiclass, regression or quantile:0.9. Default: what the label looks like.")
    ] = "",
    entity: Annotated[str, typer.Option(help="The column that says whose a row is; no input.")] = "",
    time: Annotated[
        str,
        typer.Option(help="The column of when a row happened: learn from the past. With --entity, by Feast."),
    ] = "",
    query: Annotated[str, typer.Option(metavar="SQL", help="The SELECT whose rows are learned from.")] = "",
    features: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A Feast repository, whose features are looked up as they are.")
    ] = None,
    images: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Pictures: a sub-folder a class, or those that a column of the data names."),
    ] = None,
    text: Annotated[
        str, typer.Option(help="The column of texts that are learned from. Default: one that is written for people.")
    ] = "",
    output: Output = Format.TEXT,
) -> None:
    """Write a project for data of your own: source, rules, pipeline and test, each a short file to change.

    The data are looked at, and what was found and chosen is told. Then: cd NAME && seaway run ."""
    from seaway.cli.init import init_project
    from seaway.projects import Wishes

    init_project(name, Wishes(data, label, task, entity, time, query, features, images, text), output is Format.JSON)


@app.command(
    epilog=_examples(
        "seaway run .",
        "seaway run my_pipeline.py -p rows=1000 -p epochs=2",
        "seaway run my_pipeline.yaml -p rows=1000 --output json",
        "seaway run my_pipeline.py --no-cache",
        "seaway run my_pipelines.py:nightly --explain",
        "seaway run my_pipeline.py --watch",
        "seaway run my_pipeline.py --platform kubernetes -p workers=3",
        "seaway run my_pipeline.py --platform kubernetes --backend tuner=optuna --backend endpoint=process",
    )
)
def run(
    pipeline: Pipeline,
    param: Parameters = None,
    cache: Annotated[
        bool, typer.Option("--cache/--no-cache", help="Reuse steps whose inputs and code did not change.")
    ] = True,
    platform: Annotated[
        str | None,
        _place("Where trainings, tuning, endpoints and traffic go; steps run here. Default: SEAWAY_PLATFORM."),
    ] = None,
    backend: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PORT=NAME",
            help="What carries out a port, here or there, such as trainer=trainjob; seaway backends lists them. What "
            "leads to an endpoint and counts it is where the endpoint is. Repeatable. Default: SEAWAY_<PORT>.",
        ),
    ] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say for each step why it ran or was reused.")] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Run again what changed when code beside the pipeline is saved.")
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Run a pipeline on this machine, and write its report.

    With --platform kubernetes the steps run here, and what they start runs on the cluster, by its training operator,
    Katib, Seldon Core, Istio and Prometheus; --backend names others for a cluster that lacks some.

    One line a step tells state, seconds and key figure; a summary ends the run. With --watch a run goes on to its end,
    and the next begins once one of its files has other contents; Ctrl-C ends it."""
    from seaway.cli.run import choose_backends, run_pipeline

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    choose_backends(backend or [])
    if watch:
        from seaway.cli.watch import run_and_watch

        raise typer.Exit(run_and_watch(pipeline, [word for word in sys.argv[1:] if word != "--watch"]))
    raise typer.Exit(run_pipeline(pipeline, param or [], cache, output is Format.JSON, explain))


@app.command(
    epilog=_examples(
        "seaway step my_pipeline.yaml make --run monday",
        "seaway step my_pipeline.yaml exit-handler-1/train --run monday -p rows=1000",
    )
)
def step(
    pipeline: Pipeline,
    place: Annotated[str, typer.Argument(help="The step, with the groups that it is in: GROUP/TASK.")],
    run: Annotated[str, typer.Option(help="Name of the run that all its steps share.")],
    param: Parameters = None,
    skipped: Annotated[int, typer.Option(help="Exit code of a step that is not due.")] = 0,
) -> None:
    """Carry out one step of a run, as an exported pipeline does.

    What other steps of the run gave is read from SEAWAY_HOME, which all of them share. Parameters can also be JSON in
    the variable SEAWAY_PARAMETERS. Conditions, retries, time limits and caching are those of seaway run."""
    from seaway.cli.step import run_step

    raise typer.Exit(run_step(pipeline, place, run, param or [], skipped))


@app.command(
    epilog=_examples(
        "seaway export make my_pipeline.py --to Makefile",
        "seaway export airflow my_pipeline.yaml --to dags/my_pipeline.py",
        "seaway export argo my_pipeline.py --image registry.example.com/seaway:1",
    )
)
def export(
    target: Annotated[str, typer.Argument(help=f"What it is for: {', '.join(EXPORTERS)}.")],
    pipeline: Pipeline,
    to: Annotated[Path | None, typer.Option(help="The file to write; by default as the target calls it.")] = None,
    image: Annotated[str, typer.Option(help="Argo: image that has Seaway and what the steps need.")] = "",
) -> None:
    """Write a pipeline for another orchestrator.

    What the other one does not have is told before anything is written. The compiled pipeline is written beside the
    file, whose steps run it by seaway step; Argo and Vertex AI have it in the file."""
    from seaway.cli.export import export_pipeline

    export_pipeline(target, pipeline, to, image)


@app.command(epilog=_examples("seaway backends", "seaway backends --platform kubernetes"))
def backends(
    platform: Annotated[
        str | None,
        _place("As seen from there. Default: SEAWAY_PLATFORM."),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """List what can carry out each port, and what is taken.

    Backends of other installed wheels too; the one that is taken has a mark."""
    from seaway.cli.backends import show_backends

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    show_backends(output is Format.JSON)


@app.command(
    "compile",
    epilog=_examples(
        "seaway compile .",
        "seaway compile my_pipeline.py --to my_pipeline.yaml",
        "seaway compile my_pipeline.py --kubernetes-manifest-format --to my_pipeline.k8s.yaml",
        "seaway compile my_pipeline.py --fuse",
    ),
)
def compile_(
    pipeline: Pipeline,
    to: Annotated[Path | None, typer.Option(help="Where to write; by default ./PIPELINE.yaml.")] = None,
    kubernetes_manifest_format: Annotated[
        bool, typer.Option("--kubernetes-manifest-format", help="Write Pipeline and PipelineVersion objects.")
    ] = False,
    change: Change = "",
    fuse: Fuse = False,
) -> None:
    """Compile a pipeline to the YAML that Kubeflow takes.

    The file serves `kfp run create` and the dashboard; as Kubernetes objects it serves GitOps."""
    from seaway.cli.compile import compile_pipeline

    typer.echo(compile_pipeline(pipeline, to, kubernetes_manifest_format, change, fuse))


@manifests_app.callback(
    invoke_without_command=True,
    epilog=_examples(
        "seaway manifests",
        "seaway manifests --to deploy/pipelines",
        "seaway manifests --change 'Look at the weather of the day before'",
        "seaway manifests --images kustomize/components/images/kustomization.yaml",
    ),
)
def manifests(
    context: typer.Context,
    to: Annotated[Path, typer.Option(help="The folder; its kustomization.yaml lists what is in it.")] = Path(
        "manifests/pipelines"
    ),
    images: Annotated[
        Path | None, typer.Option(help="A kustomization whose images say which one steps run in.")
    ] = None,
    change: Change = "",
    fuse: Fuse = False,
) -> None:
    """Write the pipelines as objects for GitOps.

    A Pipeline and its current PipelineVersion each; a version's name carries the hash of what runs, so what runs the
    same writes nothing. Prints the files that changed. `seaway versions prune` removes earlier ones from a cluster."""
    if context.invoked_subcommand:
        _require_no_options(context, context.invoked_subcommand)
        return
    from seaway.cli.compile import write_manifests

    for path in write_manifests(to, images, change, fuse):
        typer.echo(path)


def _require_no_options(context: typer.Context, subcommand: str) -> None:
    """Refuse options of the group itself, which the subcommand would not see."""
    for name in context.params:
        source = context.get_parameter_source(name)
        if source and source.name == "COMMANDLINE":
            raise InvalidSpec(
                f"--{name} before `{subcommand}` is an option of `seaway {context.info_name}` alone; write those of "
                f"`{subcommand}` behind it."
            )


@manifests_app.command(
    "endpoint",
    epilog=_examples(
        "seaway manifests endpoint churn --package s3://models/churn/7",
        "seaway manifests endpoint churn --package s3://models/churn/7 --candidate .seaway/artifacts/.../package",
        "seaway manifests endpoint churn --package s3://models/churn/8 --backend inferenceservice -p batch_size=64",
    ),
)
def manifests_endpoint(
    name: Annotated[str, typer.Argument(help="The endpoint's and the model's name.")],
    package: Annotated[
        str,
        typer.Option(help="The model package: a URI that pods reach, or a folder, which is copied to SEAWAY_STORAGE."),
    ],
    candidate: Annotated[str | None, typer.Option(help="Another package, served beside it.")] = None,
    backend: Annotated[
        str, typer.Option(help="What serves it: a backend of the port endpoint that a cluster has.")
    ] = "deployment",
    hosting: Annotated[
        Path | None, typer.Option(envvar="SEAWAY_HOSTING", help="Settings of the pods, YAML. Default: SEAWAY_HOSTING.")
    ] = None,
    public_key: Annotated[
        Path | None, typer.Option(help="What verifies the packages, PEM. Default: the key of SEAWAY_HOME.")
    ] = None,
    param: Annotated[
        list[str] | None,
        typer.Option("--param", "-p", metavar="NAME=VALUE", help="batch_size, workers, threads, ... Repeatable."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="The folder; by default manifests/endpoints/NAME.")] = None,
) -> None:
    """Write an endpoint as objects for GitOps.

    Plain YAML that kustomize takes in; the token's Secret stays in the cluster. Packages are verified first, and the
    same packages write nothing. Prints the files that changed."""
    from seaway.cli.manifests import write_endpoint

    packages = {"stable": package, **({"candidate": candidate} if candidate else {})}
    folder = to or Path("manifests/endpoints") / name
    for path in write_endpoint(name, packages, backend, hosting, public_key, param or [], folder):
        typer.echo(path)


@versions_app.command(
    "prune",
    epilog=_examples(
        "seaway versions prune --dry-run",
        "seaway versions prune --keep 3 --namespace seaway",
        "seaway versions prune --keep 1 --except churn-49c63e733630",
    ),
)
def prune_versions(
    keep: Annotated[int, typer.Option(min=1, help="How many of a pipeline's versions stay, those made last.")] = 10,
    except_: Annotated[
        list[str] | None,
        typer.Option("--except", metavar="VERSION", help="One that stays whatever its age. Repeatable."),
    ] = None,
    namespace: Annotated[
        str, typer.Option(help="Where they are. Default: SEAWAY_NAMESPACE, or that of the kubeconfig's context.")
    ] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would go.")] = False,
    output: Output = Format.TEXT,
) -> None:
    """Remove old versions of the pipelines from a cluster.

    Of Seaway's own PipelineVersion objects, by pipeline: the newest stay, and those that a recurring run names. One
    line a version says why. Runs go on; but the dashboard draws no graph of a run whose version is gone."""
    from seaway.cli.versions import prune

    prune(keep, except_ or [], namespace, dry_run, output is Format.JSON)


@app.command(
    epilog=_examples(
        "seaway submit my_pipeline.py --endpoint http://127.0.0.1:8080 -p rows=1000",
        "seaway submit my_pipeline.py --endpoint https://kubeflow.example.com/pipeline --namespace team "
        "--cookies login.txt",
        "seaway submit my_pipeline.yaml --endpoint http://ml-pipeline.kubeflow:8888 --token-file token --wait",
        "seaway submit my_pipeline.py --endpoint http://127.0.0.1:8080 --every '0 2 * * *' --name nightly",
    )
)
def submit(
    pipeline: Pipeline,
    endpoint: Annotated[
        str,
        typer.Option(envvar="KF_PIPELINES_ENDPOINT", help="URL of Kubeflow Pipelines. Default: KF_PIPELINES_ENDPOINT."),
    ],
    param: Parameters = None,
    experiment: Annotated[str, typer.Option(help="The experiment that the run belongs to.")] = "Default",
    namespace: Annotated[str, typer.Option(help="The profile's namespace, where there are several users.")] = "",
    token_file: Annotated[
        Path | None,
        typer.Option(
            envvar="KF_PIPELINES_SA_TOKEN_PATH",
            help="A file with a bearer token. Default: KF_PIPELINES_SA_TOKEN_PATH.",
        ),
    ] = None,
    cookies: Annotated[Path | None, typer.Option(help="A file with a login's cookie, NAME=VALUE.")] = None,
    ca_file: Annotated[
        Path | None,
        typer.Option(envvar="SSL_CERT_FILE", help="A private certificate authority, PEM. Default: SSL_CERT_FILE."),
    ] = None,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Return when the run has ended; 1 if it failed.")
    ] = False,
    every: Annotated[
        str, typer.Option(help="A cron expression in UTC: a recurring run in place of one run now.", show_default=False)
    ] = "",
    name: Annotated[
        str, typer.Option(help="With --every: which recurring run it is. Default: the pipeline.", show_default=False)
    ] = "",
    change: Change = "",
    fuse: Fuse = False,
    build: Annotated[
        str,
        typer.Option(
            help="Push an image of the code beside the pipeline's file, on Seaway's, to REGISTRY/NAME, and run in it.",
            show_default=False,
        ),
    ] = "",
    output: Output = Format.TEXT,
) -> None:
    """Run a pipeline on Kubeflow Pipelines, now or again and again.

    Puts its version there unless it is there, and prints where the run is seen. With --every it leaves a recurring run
    that is the same as it is and replaces one of the same name that differs."""
    from seaway.cli.submit import schedule_pipeline, submit_pipeline

    who = {"token_file": token_file, "cookie_file": cookies, "ca_file": ca_file}
    asked, as_json = param or [], output is Format.JSON
    if every and wait:
        raise InvalidSpec("--every makes a recurring run, which has no end to wait for; leave --wait out.")
    if name and not every:
        raise InvalidSpec("--name says which recurring run it is; it goes with --every.")
    if every:
        schedule_pipeline(pipeline, asked, every, name, endpoint, namespace, experiment, who, as_json, fuse, build)
    else:
        submit_pipeline(pipeline, asked, endpoint, namespace, experiment, who, wait, as_json, change, fuse, build)


def _run_names(incomplete: str) -> list[str]:
    from seaway.kfp.local.records import records

    return [record["run"] for record in records() if record["run"].startswith(incomplete)]


@doctor_app.callback(
    invoke_without_command=True,
    epilog=_examples("seaway doctor", "seaway doctor --cluster", "seaway doctor -o json", "seaway doctor train"),
)
def doctor(
    context: typer.Context,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="The kubeconfig's cluster, too, as seaway check --cluster does.")
    ] = False,
    output: Output = Format.TEXT,
) -> None:
    """Find what a run here would fail at, and say what to do about it.

    This machine (Python, packages, memory, disk, sockets, proxies) and this folder (keys, settings, what killed runs
    have left, endpoints that ended). Ends with 1 where something is bad. It reads; it changes nothing. `seaway doctor
    train` examines a training."""
    if context.invoked_subcommand:
        _require_no_options(context, context.invoked_subcommand)
        return
    from seaway.cli.doctor import examine

    examine(cluster, output is Format.JSON)


@doctor_app.command(
    "train",
    epilog=_examples(
        "seaway doctor train",
        "seaway doctor train 20260102-030405-ab12 --step 'Train network'",
        "seaway doctor train --to what-is-wrong.html",
    ),
)
def doctor_train(
    run: Annotated[
        str,
        typer.Argument(help="The run whose training is examined; by default the latest.", autocompletion=_run_names),
    ] = "",
    step: Annotated[str, typer.Option(help="The step's title, where the run has several trainings.")] = "",
    to: Annotated[Path | None, typer.Option(help="A page with all that was measured.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Find what is wrong with a training: its data, its loss, its network, its rate.

    Takes the rows and params that the run's training step was given, also where that step failed, and puts them to
    small experiments of about a minute; the run stays as it is. Ends with 1 where a fault is found."""
    from seaway.cli.doctor import examine_training

    examine_training(run, step, to, output is Format.JSON)


@app.command(
    epilog=_examples(
        "seaway check --cluster",
        "seaway check manifests/",
        "kubectl kustomize overlays/prod | seaway check - -o github",
    )
)
def check(
    manifests: Annotated[
        list[str] | None,
        typer.Argument(
            help="Files of Kubernetes objects, folders of them, or - for standard input.", show_default=False
        ),
    ] = None,
    cluster: Annotated[
        bool, typer.Option("--cluster", help="The kubeconfig's cluster; with MANIFESTS: by its own definitions.")
    ] = False,
    namespace: Annotated[str, typer.Option(help="Where steps run. Default: the context's.", show_default=False)] = "",
    kubeflow: Annotated[str, typer.Option(help="The namespace of Kubeflow Pipelines.")] = "kubeflow",
    output: Annotated[
        Report, typer.Option("--output", "-o", help="text for people; json; of manifests also github, sarif.")
    ] = Report.TEXT,
) -> None:
    """Find what a run, or a cluster that is sent MANIFESTS, would fail at, before it starts.

    Ends with 1 where something is bad. It reads; it changes nothing."""
    from seaway.cli.check import check_cluster, check_manifests

    if not manifests and not cluster:
        raise InvalidSpec("Say what to check: `seaway check --cluster`, or `seaway check FILE ...`.")
    if manifests:
        check_manifests(manifests, output, cluster)
    elif output in (Report.GITHUB, Report.SARIF):
        raise InvalidSpec(f"-o {output} is for manifests; a cluster's findings are text or json.")
    else:
        check_cluster(namespace, kubeflow, output is Report.JSON)


@app.command(
    epilog=_examples(
        "seaway verify .seaway/models/churn/2",
        "seaway verify s3://models/churn/0123456789ab --public-key signing.pub --approver Ada",
        "seaway verify churn --platform kubernetes -o json",
    )
)
def verify(
    target: Annotated[str, typer.Argument(metavar="PACKAGE|ENDPOINT", help="A package's folder or URI, or a name.")],
    public_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of who signed. Default: signing.pub of SEAWAY_HOME.")
    ] = None,
    evidence: Annotated[str, typer.Option(help="What was stated, if not beside the package.", show_default=False)] = "",
    train: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The training rows, to compare with the lineage.")
    ] = None,
    approver: Annotated[str, typer.Option(help="Who has to answer for the rollout.", show_default=False)] = "",
    since: Annotated[datetime | None, typer.Option(help="UTC. What was stated before has expired.")] = None,
    platform: Annotated[str | None, _place("Where the endpoint is. Default: SEAWAY_PLATFORM.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Check why a model is served: package, lineage, signed statement, decision.

    Names each link that is missing or wrong, and then ends with 1. The looks of the rollout are judged again."""
    from seaway.cli.verify import asked_for, verify_chain

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    verify_chain(target, public_key, evidence, train, asked_for(approver, since), output is Format.JSON)


@components_app.command("list", epilog=_examples("seaway components list", "seaway components list -o json"))
def list_components(output: Output = Format.TEXT) -> None:
    """List the components by category."""
    from seaway.cli import catalog

    catalog.show_entries("component", output is Format.JSON)


@components_app.command("show", epilog=_examples("seaway components show train_pytorch"))
def show_component(
    name: Annotated[str, typer.Argument(autocompletion=_component_names)], output: Output = Format.TEXT
) -> None:
    """Show what a component takes and gives."""
    from seaway.cli import catalog

    catalog.show_interface("component", name, output is Format.JSON)


@pipelines_app.command("list", epilog=_examples("seaway pipelines list"))
def list_pipelines(output: Output = Format.TEXT) -> None:
    """List the pipelines."""
    from seaway.cli import catalog

    catalog.show_entries("pipeline", output is Format.JSON)


@pipelines_app.command("show", epilog=_examples("seaway pipelines show PIPELINE"))
def show_pipeline(
    name: Annotated[str, typer.Argument(autocompletion=_pipeline_names)], output: Output = Format.TEXT
) -> None:
    """Show a pipeline's parameters and their defaults."""
    from seaway.cli import catalog

    catalog.show_interface("pipeline", name, output is Format.JSON)


RunName = Annotated[str | None, typer.Argument(help="A run's name.", autocompletion=_run_names)]


@runs_app.callback(invoke_without_command=True, epilog=_examples("seaway runs", "seaway runs -o json"))
def runs(context: typer.Context, output: Output = Format.TEXT) -> None:
    """List the runs of this folder, latest first."""
    if context.invoked_subcommand:
        _require_no_options(context, context.invoked_subcommand)
        return
    from seaway.cli import runs

    runs.show(output is Format.JSON)


@runs_app.command(
    "compare",
    epilog=_examples(
        "seaway runs compare",
        "seaway runs compare 20260102-030405-ab12 20260103-030405-cd34",
        "seaway runs compare --all -o json",
    ),
)
def compare_runs(
    run: Annotated[
        list[str] | None,
        typer.Argument(help="Two or more runs; by default the two latest.", autocompletion=_run_names),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="What is the same, too.")] = False,
    output: Output = Format.TEXT,
) -> None:
    """Show in what runs differ: parameters, figures, and how each step ended.

    Numbers and short texts are compared: what metrics say, and outputs that are parameters. `seaway dev` shows the
    same."""
    from seaway.cli import runs

    runs.show_differences(run or [], all_, output is Format.JSON)


class Mirror(StrEnum):
    """The trackers that a run can be mirrored to."""

    COMET = "comet"
    TENSORBOARD = "tensorboard"
    WANDB = "wandb"


@runs_app.command(
    "mirror",
    epilog=_examples(
        "seaway runs mirror --to wandb",
        "seaway runs mirror 20260102-030405-ab12 --to comet --into for_comet",
        "seaway runs mirror --to tensorboard --no-files -o json",
    ),
)
def mirror_run(
    to: Annotated[Mirror, typer.Option(help="The other tracker.")],
    run: Annotated[
        str | None,
        typer.Argument(help="A run, or MLflow's id of one; by default the latest.", autocompletion=_run_names),
    ] = None,
    into: Annotated[Path, typer.Option(help="The folder that gets it.")] = Path("mirrors"),
    files: Annotated[bool, typer.Option("--files/--no-files", help="Its files, too.")] = True,
    output: Output = Format.TEXT,
) -> None:
    """Write what a run has tracked in MLflow as W&B, Comet or TensorBoard keep it, without their services.

    Nothing is sent. The command that sends it, or shows it, is printed, and so is what the other tracker cannot say."""
    from seaway.cli import tracked

    tracked.mirror_run(run, to.value, into, files, output is Format.JSON)


@runs_app.command("import", epilog=_examples("seaway runs import exports/data --files exports/files"))
def import_runs(
    data: Annotated[Path, typer.Argument(help="What Neptune's exporter wrote to its --data-path.")],
    files: Annotated[Path, typer.Option(help="What it wrote to its --files-path.")],
    output: Output = Format.TEXT,
) -> None:
    """Record the runs of an export of Neptune's in MLflow.

    A project becomes an experiment. Runs that are there already are left as they are."""
    from seaway.cli import tracked

    tracked.import_runs(data, files, output is Format.JSON)


@app.command(
    epilog=_examples(
        "seaway report",
        "seaway report --open",
        "seaway report 20260102-030405-ab12",
        "seaway report --diff 20260102-030405-ab12 20260103-030405-cd34",
        "seaway report --diff packages/churn-7 packages/churn-8 --to churn.html",
    )
)
def report(
    run: RunName = None,
    open_: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
    diff: Annotated[
        tuple[str, str] | None,
        typer.Option(metavar="A B", help="Two runs, or two model packages: what changed between them."),
    ] = None,
    to: Annotated[Path | None, typer.Option(help="With --diff: the page's file. Default: in SEAWAY_HOME.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Print or open a run's report.

    By default that of the latest run that has one. With --diff two are set beside each other: parameters, figures,
    versions of data and steps, as text and as a page that has both reports."""
    from seaway.cli import runs

    if diff:
        from seaway.cli.differences import report_differences

        if run:
            raise InvalidSpec(f"--diff names both sides; leave {run} out.")
        path = report_differences(diff, to, output is Format.JSON)
    else:
        if to or output is Format.JSON:
            raise InvalidSpec("--to and --output go with --diff.")
        path = runs.report(run)
        typer.echo(path)
    if open_:
        typer.launch(path.absolute().as_uri())


@app.command(
    epilog=_examples(
        "seaway serve .seaway/artifacts/.../package_model/package", "seaway serve my_package --name churn --port 8080"
    )
)
def serve(
    package: Annotated[Path, typer.Argument(help="A model package: the folder that package_model writes.")],
    name: Annotated[str, typer.Option(help="The endpoint's and the model's name.")] = "model",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 0,
    server: Annotated[str, typer.Option(help="What answers, such as `kserve`; `auto` is what is set.")] = "auto",
    certificate: Annotated[
        Path | None, typer.Option(help="TLS by this certificate, PEM. Default: SEAWAY_TLS_CERTIFICATE.")
    ] = None,
    key: Annotated[Path | None, typer.Option(help="Its private key, PEM. Default: SEAWAY_TLS_KEY.")] = None,
    client_ca: Annotated[
        Path | None,
        typer.Option(help="Callers have to show a certificate of this authority, PEM. Default: SEAWAY_TLS_CLIENT_CA."),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Serve a model package on this machine.

    On loopback, behind a token, until `seaway down` ends it."""
    from seaway.cli.serve import serve_package

    serve_package(package, name, port, server, (certificate, key, client_ca), output is Format.JSON)


@app.command(
    "import-model",
    epilog=_examples(
        "seaway import-model churn.onnx -p package --sample rows.csv --task binary --label churned",
        "seaway import-model vad.onnx -p package --constant sr=16000",
        "seaway import-model scripted.pt -p package --signature signature.json --sha256 2c26b46b...",
    ),
)
def import_model(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="The model, or its folder.")],
    package: Annotated[Path, typer.Option("--package", "-p", help="Folder that becomes the signed package.")],
    name: Annotated[str, typer.Option(help="Of the model. Default: the file's.", show_default=False)] = "",
    flavour: Annotated[str, typer.Option(help="What the file is. Default: by its ending.", show_default=False)] = "",
    signature: Annotated[Path | None, typer.Option(help="JSON of inputs and outputs; the rest is found.")] = None,
    sample: Annotated[
        Path | None, typer.Option(help="A few rows: JSON of lists by name, CSV or Parquet. Default: made up.")
    ] = None,
    constant: Annotated[
        list[str] | None, typer.Option(metavar="NAME=VALUE", help="An input that is no rows of data; repeatable.")
    ] = None,
    task: Annotated[str, typer.Option(help="What is predicted: binary, multiclass, ...", show_default=False)] = "",
    label: Annotated[str, typer.Option(help="Column of the truth.", show_default=False)] = "",
    classes: Annotated[str, typer.Option(help="Their names in the model's order, by commas.", show_default=False)] = "",
    prediction: Annotated[str, typer.Option(help="The output that is the prediction.", show_default=False)] = "",
    train: Annotated[Path | None, typer.Option(help="The rows that it was trained on, as Parquet.")] = None,
    sha256: Annotated[str, typer.Option(help="Digest that the file must have.", show_default=False)] = "",
    output: Output = Format.TEXT,
) -> None:
    """Make a signed, proved package of a model that Seaway did not train.

    ONNX, TorchScript, torch.export, scikit-learn by skops, XGBoost, LightGBM, Keras. Tried in a process of its own."""
    from seaway.cli.import_model import Said, import_file

    said = Said(
        source, name, flavour, signature, sample, constant or [], task, label, classes, prediction, train, sha256
    )
    import_file(said, package, output is Format.JSON)


Authority = Annotated[
    Path | None, typer.Option(help="Authority of an https endpoint, PEM. Default: SEAWAY_CA, else the machine's.")
]
Certificate = Annotated[
    Path | None, typer.Option(help="What this caller shows, PEM. Default: SEAWAY_CLIENT_CERTIFICATE.")
]
CertificateKey = Annotated[Path | None, typer.Option(help="Its private key, PEM. Default: SEAWAY_CLIENT_KEY.")]


@app.command(
    epilog=_examples(
        """seaway predict churn '{"plan": ["pro"], "income": [2475.0]}'""",
        "seaway predict churn rows.json --arm candidate --grpc",
        "seaway predict churn rows.json --platform kubernetes --url http://127.0.0.1:8080",
    )
)
def predict(
    name: Annotated[str, typer.Argument(help="The endpoint's and the model's name.")],
    inputs: Annotated[str, typer.Argument(help="Lists by input: JSON, a file that holds it, or - for standard input.")],
    run: Annotated[str | None, typer.Option(help="The run whose endpoint is asked; by default the newest.")] = None,
    arm: Annotated[str | None, typer.Option(help="stable or candidate, whatever the weights.")] = None,
    grpc: Annotated[bool, typer.Option("--grpc", help="By gRPC rather than REST.")] = False,
    url: Annotated[
        str | None, typer.Option(help="Where the endpoint is reached from here, such as a forwarded port.")
    ] = None,
    platform: Annotated[
        str | None,
        _place("Where the endpoint is. Default: SEAWAY_PLATFORM."),
    ] = None,
    ca: Authority = None,
    certificate: Certificate = None,
    key: CertificateKey = None,
    output: Output = Format.TEXT,
) -> None:
    """Ask an endpoint for predictions.

    By the Open Inference Protocol, with the endpoint's own token; one line a row."""
    from seaway.cli.predict import predict_rows

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    predict_rows(name, inputs, run, arm, url, grpc, (ca, certificate, key), output is Format.JSON)


Store = Annotated[
    str, typer.Option(help="Folder or URI of the versions. Default: SEAWAY_DATA_VERSIONS.", show_default=False)
]


@notebook_app.command(
    "to-component",
    epilog=_examples(
        "seaway notebook to-component explore.ipynb --tag clean --input rows:Dataset --output cleaned:Dataset",
        "seaway notebook to-component explore.ipynb --tag train --input cleaned:Dataset --returns loss:float",
    ),
)
def notebook_to_component(
    file: Annotated[Path, typer.Argument(help="The notebook.")],
    tag: Annotated[str, typer.Option(help="Of the cells that are the component.")],
    name: Annotated[str, typer.Option(help="Of the component. Default: the tag.", show_default=False)] = "",
    input_: Annotated[
        list[str] | None,
        typer.Option("--input", metavar="NAME:TYPE", help="A variable that holds the path of an artifact. Repeatable."),
    ] = None,
    output: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME:TYPE", help="A variable that holds a path that is written to. Repeatable."),
    ] = None,
    returns: Annotated[
        str, typer.Option(metavar="NAME:TYPE", help="A variable whose value the component gives.", show_default=False)
    ] = "",
    to: Annotated[Path | None, typer.Option(help="The file to write. Default: NAME.py.")] = None,
) -> None:
    """Write a component of tagged cells of a notebook.

    Cells tagged imports and functions go before them; what the cell tagged parameters assigns, and they use, becomes
    arguments. What other cells have made in memory is refused by name."""
    from seaway.cli.notebook import to_component

    to_component(file, tag, name, input_ or [], output or [], returns, to)


@tune_app.command(
    "import",
    epilog=_examples(
        "seaway tune import sweep.yaml",
        "seaway tune import experiment.yaml --to search.json",
        "seaway tune import model.py --from hyperas",
    ),
)
def tune_import(
    file: Annotated[Path, typer.Argument(help="YAML, JSON or Python; a program is read and not run.")],
    dialect: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="TOOL",
            help="hyperas, hyperopt, katib, keras-tuner, ray-tune, sigopt or sweeps. Default: as it looks.",
        ),
    ] = "",
    to: Annotated[Path | None, typer.Option(help="The file to write. Default: print it.")] = None,
) -> None:
    """Read a search of another tool: arguments of tune_model, as JSON.

    W&B Sweeps, Katib's Experiments, SigOpt, Keras Tuner, hyperopt, Hyperas and Ray Tune. What cannot be said here is
    told."""
    from seaway.cli.tune import import_search

    import_search(file, dialect, to)


@tune_app.command(
    "export",
    epilog=_examples("seaway tune export katib search.json", "seaway tune export sweeps search.json --to s.yaml"),
)
def tune_export(
    target: Annotated[str, typer.Argument(metavar="katib|sweeps", help="What it is for.")],
    file: Annotated[Path, typer.Argument(help="Arguments of tune_model, as YAML or JSON: space, objectives, ...")],
    to: Annotated[Path | None, typer.Option(help="The file to write. Default: print it.")] = None,
) -> None:
    """Write a search for Katib, or for Sweeps of Weights & Biases.

    What cannot be said there is told."""
    from seaway.cli.tune import export_search

    export_search(target, file, to)


@data_app.command("log", epilog=_examples("seaway data log orders", "seaway data log orders --store s3://data"))
def data_log(
    name: Annotated[str, typer.Argument(help="Of the data, as version_data calls it.")],
    store: Store = "",
    output: Output = Format.TEXT,
) -> None:
    """List the versions of data, the newest first."""
    from seaway.cli.data import log

    log(name, store, output is Format.JSON)


@data_app.command(
    "diff",
    epilog=_examples(
        "seaway data diff orders@3f2a orders", "seaway data diff monday/tables tuesday/tables --key order_id"
    ),
)
def data_diff(
    before: Annotated[str, typer.Argument(help="NAME, NAME@VERSION, or a folder of Parquet files.")],
    after: Annotated[str, typer.Argument(help="The same.")],
    key: Annotated[str, typer.Option(help="Column by which a row is the same row.", show_default=False)] = "",
    store: Store = "",
    output: Output = Format.TEXT,
) -> None:
    """Tell what has changed between two versions of data.

    Rows and columns that were added, removed or changed, and columns whose values are distributed otherwise."""
    from seaway.cli.data import diff

    diff(before, after, key, store, output is Format.JSON)


@data_app.command(
    "checkout",
    epilog=_examples(
        "seaway data checkout orders@3f2a orders", "seaway data checkout orders o", "seaway data checkout package o"
    ),
)
def data_checkout(
    version: Annotated[
        str,
        typer.Argument(
            metavar="VERSION",
            help="NAME@VERSION; NAME for the latest; @VERSION of any name; or a model package.",
        ),
    ],
    folder: Annotated[Path, typer.Argument(help="That the files are put into; what is there is replaced.")],
    store: Store = "",
) -> None:
    """Bring the files of a version back, or those that a model was trained on."""
    from seaway.cli.data import checkout

    checkout(version, folder, store)


@app.command(
    epilog=_examples(
        "seaway label .seaway/labels/reviews",
        "seaway label .seaway/labels/reviews --name ann --open",
        "seaway label reviews --name ann --suggest --port 8080",
    )
)
def label(
    folder: Annotated[Path, typer.Argument(help="A queue's folder, which send_to_label names.")],
    name: Annotated[str, typer.Option(help="Of who labels. Default: of this machine's user.", show_default=False)] = "",
    port: Annotated[int, typer.Option(help="0 for any free one.", min=0, max=65535)] = 0,
    suggest: Annotated[bool, typer.Option("--suggest", help="Show what the model takes an item for.")] = False,
    open_page: Annotated[bool, typer.Option("--open", help="Open the page in this machine's browser.")] = False,
) -> None:
    """Label a queue in a browser.

    One key an item: text, pictures or rows of a table. The page is this machine's only, and its address has a token."""
    from seaway.cli.label import label as serve_page

    serve_page(folder, name, port, suggest, open_page)


@app.command(
    "serve-features",
    epilog=_examples(
        "seaway serve-features churn repository --deadline-ms 20 --fallback missing",
        "seaway serve-features churn repository --service churn_v2 --port 8081",
        "seaway serve-features churn repository --url http://churn-stable.ml --token token --address 0.0.0.0",
    ),
)
def serve_features(
    name: Annotated[str, typer.Argument(help="The endpoint's and the model's name.")],
    repository: Annotated[Path, typer.Argument(help="Folder of feature_store.yaml, its online store filled.")],
    service: Annotated[str, typer.Option(help="Feature service. Default: the only one.", show_default=False)] = "",
    deadline_ms: Annotated[float, typer.Option(help="Milliseconds that the online store may take.")] = 50.0,
    fallback: Annotated[
        str, typer.Option(help="Of a store that is late: `refuse` by 503, or answer with the features `missing`.")
    ] = "refuse",
    at: Annotated[str, typer.Option(help="Time by which values expire. Default: now.", show_default=False)] = "",
    port: Annotated[int, typer.Option(help="Port to listen on; 0 for any free one.")] = 0,
    address: Annotated[
        str, typer.Option(help="Address to listen on; another than loopback in a pod only.")
    ] = "127.0.0.1",
    run: Annotated[str | None, typer.Option(help="The run whose endpoint is asked; by default the newest.")] = None,
    url: Annotated[str | None, typer.Option(help="Where the endpoint is reached from here.")] = None,
    token: Annotated[
        Path | None, typer.Option(help="File of the endpoint's token, with --url: it is not looked for then.")
    ] = None,
    platform: Annotated[
        str | None,
        _place("Where the endpoint is. Default: SEAWAY_PLATFORM."),
    ] = None,
) -> None:
    """Take entity keys, look features up online, ask an endpoint.

    By Feast's online store, within a deadline; REST, with the endpoint's own paths and token. Until Ctrl-C."""
    from seaway.cli.serve_features import serve_features as serve_by_keys

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    where = (run, url, token)
    serve_by_keys(name, repository, service, deadline_ms, fallback, at, port, where, address)


@app.command("rotate-token", epilog=_examples("seaway rotate-token churn", "seaway rotate-token churn --revoke"))
def rotate_token(
    name: Annotated[str, typer.Argument(help="The endpoint's name.")],
    run: Annotated[str | None, typer.Option(help="The run whose endpoint it is; by default the newest.")] = None,
    revoke: Annotated[bool, typer.Option("--revoke", help="End the token before, and change nothing else.")] = False,
    caller: Annotated[str, typer.Option(help="Of whom; by default the endpoint's own.", show_default=False)] = "",
) -> None:
    """Give an endpoint of this machine another token.

    Without a restart; the one before is taken as well until it is revoked."""
    from seaway.cli.serve import rotate_token as rotate

    rotate(name, run, revoke, caller)


@app.command(
    "caller",
    epilog=_examples(
        "seaway caller churn shop --requests-per-s 50",
        "seaway caller churn shop --remove",
    ),
)
def caller(
    name: Annotated[str, typer.Argument(help="The endpoint's name.")],
    caller: Annotated[str, typer.Argument(help="The caller's name: lower-case letters, digits and '-'.")],
    requests_per_s: Annotated[
        int, typer.Option("--requests-per-s", help="Inference requests a second, at most; 0 for any.")
    ] = 0,
    remove: Annotated[bool, typer.Option("--remove", help="Take its tokens no more.")] = False,
    run: Annotated[str | None, typer.Option(help="The run whose endpoint it is; by default the newest.")] = None,
) -> None:
    """Let one more caller ask an endpoint of this machine, by a token of its own.

    Without a restart; asked again, it changes the caller's number and leaves its tokens."""
    from seaway.cli.serve import set_caller

    set_caller(name, caller, requests_per_s, remove, run)


@app.command(
    "export-lambda",
    epilog=_examples(
        "seaway export-lambda package function --name churn",
        "seaway export-lambda package function --name churn --image registry.example.com/seaway/lambda:1.2.0",
    ),
)
def export_lambda(
    package: Annotated[Path, typer.Argument(help="A model package.")],
    folder: Annotated[Path, typer.Argument(help="To be written: what `docker build` takes.")],
    name: Annotated[str, typer.Option(help="The model's name.")],
    public_key: Annotated[
        Path | None, typer.Option(help="Verifies the package. Default: this installation's.", show_default=False)
    ] = None,
    image: Annotated[
        str | None, typer.Option(help="Seaway's image for Lambda. Default: docker.io/seaway's.", show_default=False)
    ] = None,
) -> None:
    """Write what a package's image for AWS Lambda is built from.

    Its function answers Open Inference Protocol requests of function URLs, API Gateway and load balancers."""
    from seaway.cli.aws_lambda import export

    export(package, folder, name, public_key, image)


@app.command(
    "export-triton",
    epilog=_examples(
        "seaway export-triton package repository --name churn",
        "seaway export-triton package repository --name churn --public-key signing.pub --instances 2",
    ),
)
def export_triton(
    package: Annotated[Path, typer.Argument(help="A model package.")],
    repository: Annotated[Path, typer.Argument(help="Folder of models that Triton serves.")],
    name: Annotated[str, typer.Option(help="The model's name there.")],
    public_key: Annotated[
        Path | None, typer.Option(help="Verifies the package. Default: this installation's.", show_default=False)
    ] = None,
    batch: Annotated[int, typer.Option(help="Rows of a batch, at most.")] = 32,
    instances: Annotated[int, typer.Option(help="Copies of the model.")] = 1,
) -> None:
    """Write a package into a Triton model repository.

    ONNX, TorchScript, and torch.export graphs whose inputs reach the graph as they are sent."""
    from seaway.cli.triton import export

    export(package, repository, name, public_key, batch, instances)


@app.command(
    "export-machine",
    epilog=_examples(
        "seaway export-machine package churn --name churn",
        "seaway export-machine package churn --name churn --at /srv/churn --python /opt/seaway/bin/python",
    ),
)
def export_machine(
    package: Annotated[Path, typer.Argument(help="A model package.")],
    folder: Annotated[Path, typer.Argument(help="To be written; an earlier one's token stays.")],
    name: Annotated[str, typer.Option(help="The model's name.")],
    public_key: Annotated[
        Path | None, typer.Option(help="Verifies the package. Default: this installation's.", show_default=False)
    ] = None,
    at: Annotated[
        Path | None,
        typer.Option(help="Where the folder will be on the machine. Default: where it is.", show_default=False),
    ] = None,
    python: Annotated[
        str, typer.Option(help="The machine's Python with Seaway, for systemd.")
    ] = "/opt/seaway/bin/python",
    image: Annotated[
        str, typer.Option(help="Seaway's server image, for Docker Compose.")
    ] = "docker.io/seaway/server:dev",
) -> None:
    """Write a package as a service of one machine, by systemd or Docker Compose.

    It answers on loopback, asks for a token, and verifies the package at each start."""
    from seaway.cli.machine import export

    export(package, folder, name, public_key, at, python, image)


@app.command(
    epilog=_examples(
        "seaway conformance http://127.0.0.1:8000 churn",
        "seaway conformance https://models.example.com churn --token token --sample rows.json",
        "seaway conformance http://127.0.0.1:8000 churn --grpc http://127.0.0.1:8001",
    )
)
def conformance(
    url: Annotated[str, typer.Argument(help="Where the server is.")],
    model: Annotated[str, typer.Argument(help="The model's name.")],
    token: Annotated[
        Path | None, typer.Option(help="File of the bearer token. Default: none.", show_default=False)
    ] = None,
    host: Annotated[str, typer.Option(help="Host name at a shared gateway.", show_default=False)] = "",
    grpc: Annotated[str, typer.Option(help="URL of gRPC. Default: that of REST.", show_default=False)] = "",
    sample: Annotated[
        Path | None, typer.Option(help="JSON lists by input. Default: made up.", show_default=False)
    ] = None,
    connections: Annotated[int, typer.Option(help="Opened at once in one of the checks.")] = 100,
    ca: Authority = None,
    certificate: Certificate = None,
    key: CertificateKey = None,
    output: Output = Format.TEXT,
) -> None:
    """Check a server of the Open Inference Protocol.

    Any server: REST and gRPC, tensors in binary, wrong requests, slow callers and many. Fails where a check does."""
    from seaway.cli.conformance import check_server

    check_server(url, model, token, host, grpc, sample, connections, (ca, certificate, key), output is Format.JSON)


def _error_names(incomplete: str) -> list[str]:
    from seaway.cli.explain import pages

    return [page.name for page in pages() if page.name.lower().startswith(incomplete.lower())]


@app.command(epilog=_examples("seaway explain", "seaway explain GateClosed", "seaway explain GateClosed -o json"))
def explain(
    error: Annotated[
        str | None, typer.Argument(help="The name that a message begins with.", autocompletion=_error_names)
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Explain an error: why it is raised, and what to do.

    Without a name, list all of them."""
    from seaway.cli.explain import show

    show(error, output is Format.JSON)


@rollout_app.command(
    "plan",
    epilog=_examples(
        "seaway rollout plan --error-rate 0.001",
        "seaway rollout plan --error-rate 0.1 --error-margin 0.5 --relative",
        "seaway rollout plan --endpoint churn",
    ),
)
def plan_rollout(
    error_rate: Annotated[
        float | None,
        typer.Option(help="Stable's usual share of failed requests; by default the endpoint's.", min=0.0, max=0.99),
    ] = None,
    endpoint: Annotated[str, typer.Option(help="Whose earlier rollouts tell what is usual, and how noisy it is.")] = "",
    error_margin: Annotated[float, typer.Option(help="By how much the candidate's may be higher.", min=1e-4)] = 0.01,
    relative: Annotated[bool, typer.Option(help="The margin is of stable's own: 0.5 is half as many again.")] = False,
    latency_margin: Annotated[float, typer.Option(help="1 is twice as slow; 0: not judged.", min=0.0)] = 1.0,
    quality_margin: Annotated[float, typer.Option(help="Rise of the mean loss; 0: not judged.", min=0.0)] = 0.02,
    budget: Annotated[int, typer.Option(help="Requests of both arms.", min=1)] = 12_000,
    shadow: Annotated[float, typer.Option(help="Share of requests asked of both arms.", min=0.0, max=1.0)] = 0.3,
    latency_spread: Annotated[
        float, typer.Option(help="Standard deviation of log latencies, where there is no history.", min=0.0)
    ] = 0.5,
    loss_spread: Annotated[
        float, typer.Option(help="Standard deviation of the arms' difference of losses, likewise.", min=0.0)
    ] = 0.1,
    platform: Annotated[str | None, _place("Where the endpoint is. Default: SEAWAY_PLATFORM.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """Say before a rollout what its budget can decide.

    How often a candidate is promoted, rolled back or left undecided, and after how many requests and hours, by
    simulation of the judge: one that is equal to stable, and ones that are worse by a margin. An endpoint's earlier
    rollouts say what is usual: its errors, latencies and losses, how noisy they are, how fast requests come, and at
    which level its next release is judged."""
    from seaway.cli.rollout import Assumed, plan, policy_of

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    policy = policy_of(error_margin, relative, latency_margin, quality_margin, budget)
    plan(policy, endpoint, Assumed(error_rate, latency_spread, loss_spread), shadow, output is Format.JSON)


@rollout_app.command(
    "rehearse",
    epilog=_examples(
        "seaway rollout rehearse stable/package candidate/package --log s3://features/served/churn --speed 60",
        "seaway rollout rehearse stable/package candidate/package --log served/churn --fault errors=5%@candidate",
        "seaway rollout rehearse stable/package candidate/package --log served/churn --labels labels.parquet",
    ),
)
def rehearse_rollout(
    stable: Annotated[Path, typer.Argument(help="The package that serves.")],
    candidate: Annotated[Path, typer.Argument(help="The package that is to.")],
    log: Annotated[str, typer.Option(help="Folder or URI of an endpoint's log of served features.")],
    speed: Annotated[float, typer.Option(help="60: a minute in each second; 0: as fast as answered.", min=0.0)] = 0.0,
    fault: Annotated[
        list[str] | None, typer.Option(metavar="KIND=AMOUNT@ARM", help="errors, latency, drops or answers. Repeatable.")
    ] = None,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Parquet of id and label: judges quality as well.")
    ] = None,
    shadow: Annotated[float, typer.Option(help="Share of requests asked of both arms.", min=0.0, max=1.0)] = 0.3,
    budget: Annotated[int, typer.Option(help="Requests of both arms.", min=1)] = 12_000,
    passes: Annotated[int, typer.Option(help="How often the log is sent, where it is short.", min=1)] = 1,
    public_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Of who signed both. Default: signing.pub of SEAWAY_HOME.")
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """Rehearse a rollout on recorded requests: real servers and Envoy of this machine, and faults on request.

    Nothing is promoted. Tells how it ends, and how often and how soon others on such traffic would. A fault is
    errors=5%@candidate, drops=2%@candidate, latency=50ms@candidate, latency=500ms:3%@candidate, or
    answers=10%@candidate, which get the answer of the request before."""
    from seaway.cli.rehearse import Rehearsal, rehearse

    asked = Rehearsal(stable, candidate, log, speed, fault or [], labels, shadow, budget, passes, public_key)
    rehearse(asked, output is Format.JSON)


@app.command(epilog=_examples("seaway dev", "seaway dev --open", "seaway dev --port 0"))
def dev(
    port: Annotated[int, typer.Option(help="On loopback; 0 takes a free one.", min=0, max=65535)] = 8765,
    opening: Annotated[bool, typer.Option("--open", help="Open the page in a browser.")] = False,
) -> None:
    """Show this folder's runs, endpoints and checks in the browser, as they go.

    Graph, logs, artifacts, comparisons, forms to run again and to ask an endpoint, and a rollout with its evidence.
    On loopback only, behind a token; the link that is printed opens once."""
    from seaway.cli.dev import show

    show(port, opening)


@app.command(
    epilog=_examples(
        "seaway approve",
        "seaway approve 20260102-030405-ab12 --why 'tested by hand'",
        "seaway approve 20260102-030405-ab12 --gate release --refuse --why 'two slices are worse'",
        "seaway approve d3b07384-1f --platform kubernetes",
    )
)
def approve(
    run: RunName = None,
    gate: Annotated[str, typer.Option(help="Which of the run's questions.", show_default=False)] = "",
    refuse: Annotated[bool, typer.Option("--refuse", help="Refuse it.")] = False,
    why: Annotated[str, typer.Option(help="Goes into the run's lineage, and is signed.", show_default=False)] = "",
    platform: Annotated[str | None, _place("Where runs ask. Default: SEAWAY_PLATFORM.")] = None,
    output: Output = Format.TEXT,
) -> None:
    """List what runs ask people, or approve what RUN asks.

    On a cluster it is decided by whom the API server knows you to be, in the namespace SEAWAY_NAMESPACE."""
    from seaway.cli import approve as approving

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    if run is None and (gate or refuse or why):
        raise typer.BadParameter("say which run; without one the questions are listed")
    if run is None:
        approving.show(output is Format.JSON)
    else:
        approving.decide(run, gate, not refuse, why, output is Format.JSON)


@app.command(
    epilog=_examples(
        "seaway down",
        "seaway down --all",
        "seaway down 20260102-030405-ab12",
        "seaway down 20260102-030405-ab12 --platform kubernetes",
    )
)
def down(
    run: RunName = None,
    all_: Annotated[bool, typer.Option("--all", help="Every run of this folder (the default).")] = False,
    platform: Annotated[
        str | None,
        _place("Where endpoints are. Default: SEAWAY_PLATFORM."),
    ] = None,
    output: Output = Format.TEXT,
) -> None:
    """End what runs left serving.

    Says what was ended; harmless when nothing is left. A run that is still going ends only if it is named. On a
    cluster an unfinished run's candidate is rolled back, and what served before or was promoted stays."""
    from seaway.cli.serve import end

    if platform:
        os.environ["SEAWAY_PLATFORM"] = platform
    if run and all_:
        raise typer.BadParameter("give a run or --all, not both")
    end(run, output is Format.JSON)
