"""Exit handlers, retries, and tasks that ignore failures."""

from kfp import dsl
from kfp.dsl import PipelineTaskFinalStatus
from steps import double, fail, last, say, step


@dsl.pipeline
def exit_after_success():
    with dsl.ExitHandler(last()):
        say(text="work")


@dsl.pipeline
def exit_after_failure():
    with dsl.ExitHandler(last()):
        fail(text="two\nlines")
    say(text="never")


@dsl.pipeline
def exit_without_status():
    with dsl.ExitHandler(say(text="the end")):
        fail()


@step
def state(status: dict) -> str:
    return status["state"]


@dsl.pipeline
def notification(status: PipelineTaskFinalStatus):
    found = state(status=status)
    with dsl.If(found.output == "FAILED"):
        said = say(text="alarm")
        double(value=4).after(said)
    with dsl.Else():
        say(text="all is well")


@dsl.pipeline
def pipeline_as_exit_task():
    with dsl.ExitHandler(notification()):
        fail()


@dsl.pipeline
def pipeline_as_exit_task_after_success():
    with dsl.ExitHandler(notification()):
        say(text="work")


@dsl.pipeline
def several_exit_handlers():
    with dsl.ExitHandler(last()):
        say(text="first")
    with dsl.ExitHandler(say(text="second end")):
        fail()


@dsl.pipeline
def exit_task_fails():
    with dsl.ExitHandler(fail(text="the exit task itself")):
        say(text="work")


@dsl.pipeline
def ignores_failures():
    failed = fail()
    say(text="goes on").after(failed).ignore_upstream_failure()
    say(text="never").after(failed)


@dsl.pipeline
def handler_that_never_began():
    failed = fail()
    with dsl.ExitHandler(last()):
        say(text="never").after(failed)


@dsl.pipeline
def an_end_for_each_part():
    first = exit_without_status()
    last().after(first).ignore_upstream_failure()
    second = exit_after_success().after(first)
    last().after(second).ignore_upstream_failure()


@step
def flaky(marker: str) -> str:
    import os

    if not os.path.exists(marker):
        open(marker, "w").close()
        raise ConnectionError("the registry did not answer")
    return "second"


@dsl.pipeline
def retried(marker: str):
    say(text=flaky(marker=marker).set_retry(2, backoff_duration="0s").output)


@dsl.pipeline
def retried_in_vain():
    with dsl.ExitHandler(last()):
        fail().set_retry(1, backoff_duration="0s")


@dsl.pipeline
def failing_inside() -> str:
    return fail().output


@dsl.pipeline
def nested_pipeline_fails():
    with dsl.ExitHandler(last()):
        say(text=failing_inside().output)


@step
def die():
    import os
    import signal

    os.kill(os.getpid(), signal.SIGKILL)


@dsl.pipeline
def killed():
    with dsl.ExitHandler(last()):
        die()


@step
def leave():
    import sys

    sys.exit(3)


@dsl.pipeline
def ends_with_a_code():
    leave()
