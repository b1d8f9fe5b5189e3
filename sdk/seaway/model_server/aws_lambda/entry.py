"""What Lambda's runtime imports. It takes `answer` of it, which loads the model: at the start, and not in a call."""

from typing import Any

from seaway.model_server.aws_lambda.function import of_image


def __getattr__(name: str) -> Any:
    if name != "answer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return of_image()
