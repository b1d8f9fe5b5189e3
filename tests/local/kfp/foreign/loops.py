"""ParallelFor over constants, parameters, outputs and artifacts, and Collected."""

from typing import List
from kfp import dsl
from kfp.dsl import Dataset, Input
from steps import add, double, fail, join, last, number, rows, say, step, tell, upto


@step
def together(folder: str, value: int) -> int:
    import os
    import time

    mine = os.path.join(folder, str(value))
    open(mine, "w").close()
    found = 0
    for _ in range(20):
        found = max(found, len(os.listdir(folder)))
        time.sleep(0.01)
    os.remove(mine)
    return found


@step
def plus(one: int, other: int) -> int:
    return one + other


@step
def flat(values: List[List[int]]) -> int:
    return sum(sum(inner) for inner in values)


@step
def total(tables: Input[List[Dataset]]) -> int:
    return sum(len(open(table.path).readlines()) for table in tables)


@dsl.pipeline
def constants():
    with dsl.ParallelFor([1, 2, 3]) as item:
        double(value=item)


@dsl.pipeline
def of_a_parameter(words: list = ["a", "b"]):
    with dsl.ParallelFor(words) as word:
        say(text=word)


@dsl.pipeline
def of_an_output(length: int = 3) -> int:
    with dsl.ParallelFor(upto(count=length).output) as item:
        made = double(value=item)
    return add(values=dsl.Collected(made.output)).output


@dsl.pipeline
def one_at_a_time(folder: str):
    with dsl.ParallelFor([1, 2, 3, 4], parallelism=1) as item:
        together(folder=folder, value=item)


@dsl.pipeline
def two_at_a_time(folder: str):
    with dsl.ParallelFor([1, 2, 3, 4], parallelism=2) as item:
        together(folder=folder, value=item)


@dsl.pipeline
def of_structs():
    with dsl.ParallelFor([{"word": "a", "size": 1}, {"word": "b'\"", "size": 2}]) as item:
        say(text=item.word)
        say(text=item.size)


@dsl.pipeline
def of_lists_and_dicts(items: list = [{"x": [1, 2]}, {"x": []}]):
    with dsl.ParallelFor(items) as item:
        tell(what=item)


@dsl.pipeline
def loop_in_a_loop() -> int:
    with dsl.ParallelFor([1, 2]) as outer:
        with dsl.ParallelFor([10, 20]) as inner:
            made = plus(one=outer, other=inner)
    return flat(values=dsl.Collected(made.output)).output


@dsl.pipeline
def collected_artifacts() -> int:
    with dsl.ParallelFor([1, 2]) as outer:
        with dsl.ParallelFor([3, 4]):
            made = rows(count=outer)
    return total(tables=dsl.Collected(made.outputs["table"])).output


@dsl.pipeline
def no_item(length: int = 0):
    with dsl.ExitHandler(last()):
        with dsl.ParallelFor(upto(count=length).output) as item:
            made = double(value=item)
            table = rows(count=item)
        add(values=dsl.Collected(made.output))
        total(tables=dsl.Collected(table.outputs["table"]))


@dsl.pipeline
def loop_in_a_branch(value: int = 1):
    with dsl.If(value == 1):
        with dsl.ParallelFor(["a", "b"]) as word:
            with dsl.If(word == "b"):
                say(text=word)


@dsl.pipeline
def after_a_loop():
    with dsl.ParallelFor(["a", "b"]) as word:
        said = say(text=word)
    say(text="end").after(said)


@dsl.pipeline
def an_iteration_fails():
    with dsl.ExitHandler(last()):
        with dsl.ParallelFor([1, 2, 3], parallelism=1) as item:
            with dsl.If(item == 2):
                fail()
            with dsl.Else():
                double(value=item)
        say(text="never")


@dsl.pipeline
def collected_texts():
    with dsl.ParallelFor(["x", 'it\'s "q"']) as word:
        said = say(text=word)
    join(texts=dsl.Collected(said.output))


@dsl.pipeline
def numbers_of_a_loop():
    with dsl.ParallelFor([1, 9007199254740991]) as item:
        number(value=item)
