"""Steps without an end, for runs that are killed."""

from kfp import dsl


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def wait():
    import time

    time.sleep(600)


@dsl.component(base_image="seaway/runtime:any", install_kfp_package=False)
def wait_forked():
    import time

    time.sleep(600)


@dsl.pipeline
def afresh():
    wait()


@dsl.pipeline
def forked():
    wait_forked()
