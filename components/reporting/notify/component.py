from kfp import dsl
from seaway.kfp import component


@component
def notify(
    status: dsl.PipelineTaskFinalStatus,
    notice: dsl.Output[dsl.Markdown],
    when: str = "failure",
    owner: str = "",
):
    """Tell people how the run ended: the step that failed, why, its last lines, and where to look. Each is told once.

    For use as the exit task of a `dsl.ExitHandler` around all that it tells of. Who is told stands in the Secret
    `seaway-notices`, key `receivers`, one address a line, on a laptop in `SEAWAY_NOTIFY`: Slack, e-mail, a webhook,
    Alertmanager and others. Without any the notice is only shown. Values of secrets are struck out of it.

    Args:
        status: How the run ended; filled in by Kubeflow Pipelines.
        notice: What was told.
        when: `failure`, `success` or `always`.
        owner: Who runs it; by default the namespace, on a laptop the user.

    Raises:
        InvalidSpec: `when` or an address is none.
        NoticeFailed: a receiver did not take it; all others were told.
    """
    from pathlib import Path

    from seaway.kfp.states import ended_well
    from seaway.notices import compose, tell, wanted
    from seaway.platforms import notices, runs

    run = runs.ending(succeeded=ended_well(status.state))
    known = notices.addressees()
    told = compose(run, notices.owner(owner), notices.links(run.name), known.secrets)
    Path(notice.path).write_text(f"# {told.title}\n\n{told.body}\n", encoding="utf-8")
    count = tell(told, known.receivers, runs.evidence()) if wanted(when, succeeded=run.succeeded) else 0
    notice.metadata["summary"] = f"{told.title}; {count} told"
