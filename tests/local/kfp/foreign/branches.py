"""If, Elif, Else, and OneOf of what their branches give."""

from kfp import dsl
from steps import count, double, fail, fraction, number, rows, say


@dsl.pipeline
def if_taken(text: str = "yes"):
    with dsl.If(text == "yes"):
        say(text="taken")


@dsl.pipeline
def if_not_taken():
    found = number(value=3)
    with dsl.If(found.output > 3):
        say(text="taken")
    say(text="after").after(found)


@dsl.pipeline
def if_elif_else(value: int = 2):
    with dsl.If(value == 1):
        say(text="one")
    with dsl.Elif(value == 2):
        say(text="two")
    with dsl.Else():
        say(text="more")


@dsl.pipeline
def oneof_parameters(value: int = 7) -> str:
    with dsl.If(value < 5):
        low = say(text="low")
    with dsl.Else():
        high = say(text="high")
    return say(text=dsl.OneOf(low.output, high.output)).output


@dsl.pipeline
def oneof_artifacts(value: int = 1) -> dsl.Dataset:
    with dsl.If(value > 5):
        many = rows(count=9)
    with dsl.Elif(value > 3):
        some = rows(count=5)
    with dsl.Else():
        few = rows(count=2)
    made = dsl.OneOf(many.outputs["table"], some.outputs["table"], few.outputs["table"])
    count(table=made)
    return made


@dsl.pipeline
def nested_ifs(text: str = "it\u2019s && a == b"):
    with dsl.If(text != "other"):
        with dsl.If(number(value=4).output >= 4):
            say(text=text)
        with dsl.Else():
            say(text="not here")


@dsl.pipeline
def if_bool_and_float(fast: bool = True, rate: float = 0.5):
    with dsl.If(fast == True):  # noqa: E712
        say(text="fast")
    with dsl.If(rate <= 0.5):
        fraction(value=rate)
    with dsl.If(rate > 1):
        fraction(value=2.0)


@dsl.pipeline
def text_that_is_code(text: str = "' or True or '"):
    with dsl.If(text == "secret"):
        say(text="broken into")


@dsl.pipeline
def behind_a_skipped_branch():
    with dsl.If(number(value=1).output == 2):
        made = double(value=3)
        double(value=made.output)


@dsl.pipeline
def text_with_a_quote(text: str = "x"):
    with dsl.If(text == "it's"):
        say(text="never")


@dsl.pipeline
def branch_that_fails(value: int = 1):
    with dsl.If(value == 1):
        fail()
    with dsl.Else():
        say(text="never")
