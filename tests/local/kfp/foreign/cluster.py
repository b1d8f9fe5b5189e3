"""What a cluster has and this machine has not, and containers."""

from kfp import dsl, kubernetes
from steps import rows, say, step


@step
def secret() -> str:
    import os

    return os.environ["SEAWAY_TEST_TOKEN"]


@dsl.container_component
def hello(text: str, size: dsl.OutputPath(int), twice: bool = False):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["sh", "-c", 'mkdir -p "$(dirname "$1")"; echo "$0"; printf 7 > "$1"'],
        args=[dsl.ConcatPlaceholder(["<", text, ">"]), size, dsl.IfPresentPlaceholder("twice", ["--twice"])],
    )


@dsl.container_component
def appended(table: dsl.Input[dsl.Dataset], word: str, longer: dsl.Output[dsl.Dataset]):
    return dsl.ContainerSpec(
        image="alpine:3.20",
        command=["sh", "-c", 'cat "$0" > "$2"; echo "$1" >> "$2"'],
        args=[table.path, word, longer.path],
    )


@dsl.container_component
def broken():
    return dsl.ContainerSpec(image="alpine:3.20", command=["sh", "-c", "echo no licence; exit 3"])


@dsl.container_component
def waits():
    return dsl.ContainerSpec(image="alpine:3.20", command=["sleep", "600"])


@step
def lines(table: dsl.Input[dsl.Dataset]) -> list:
    return open(table.path, encoding="utf-8").read().splitlines()


@step
def half(value: int) -> float:
    return value / 2


@dsl.component(
    base_image="python:3.11",
    install_kfp_package=False,
    task_config_passthroughs=[dsl.TaskConfigPassthrough(field=dsl.TaskConfigField.RESOURCES, apply_to_task=True)],
)
def configured(config: dsl.TaskConfig) -> str:
    return str(config)


@dsl.pipeline
def secret_as_variable():
    kubernetes.use_secret_as_env(secret(), "keys", {"token": "SEAWAY_TEST_TOKEN"})


@dsl.pipeline
def config_map_as_variable():
    kubernetes.use_config_map_as_env(secret(), "settings", {"token": "SEAWAY_TEST_TOKEN"})


@dsl.pipeline
def secret_as_folder():
    kubernetes.use_secret_as_volume(say(text="x"), "keys", "/keys")


@dsl.pipeline
def secret_that_may_be_missing():
    kubernetes.use_secret_as_volume(say(text="x"), "keys", "/keys", optional=True)


@dsl.pipeline
def claim():
    kubernetes.mount_pvc(say(text="x"), "data", "/data")


@dsl.pipeline
def empty_folder():
    kubernetes.empty_dir_mount(say(text="x"), "scratch", "/scratch")


@dsl.pipeline
def volume_that_is_made():
    made = kubernetes.CreatePVC(pvc_name="x", access_modes=["ReadWriteOnce"], size="1Gi", storage_class_name="fast")
    kubernetes.DeletePVC(pvc_name=made.outputs["name"])


@dsl.pipeline
def field_of_the_pod():
    kubernetes.use_field_path_as_env(say(text="x"), "POD_UID", "metadata.uid")


@dsl.pipeline
def where_the_pod_runs():
    task = say(text="x").set_accelerator_type("nvidia.com/gpu").set_accelerator_limit(1)
    kubernetes.add_node_selector(task, "disk", "fast")
    kubernetes.add_toleration(task, key="gpu", operator="Exists")
    kubernetes.set_image_pull_policy(task, "Always")
    kubernetes.add_pod_label(task, "team", "a")


@dsl.pipeline
def container():
    half(value=hello(text="it's").outputs["size"])


@dsl.pipeline
def container_between_steps(word: str):
    lines(table=appended(table=rows(count=1).outputs["table"], word=word).outputs["longer"])


@dsl.pipeline
def container_that_fails():
    broken()


@dsl.pipeline
def container_that_waits():
    waits()


@dsl.pipeline
def settings_of_the_pod():
    configured()
