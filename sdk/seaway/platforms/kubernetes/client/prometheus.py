"""Queries of a Prometheus, answered whole or not at all."""

import json
from typing import Any
from urllib.parse import urlencode

from seaway.errors import MetricsUnavailable
from seaway.platforms.kubernetes.client.http import fetch


def query(url: str, expression: str, timeout_s: float) -> list[Any]:
    """The result of an instant query.

    Raises:
        MetricsUnavailable: no answer in time, an error, a warning (part of the data is missing), or no JSON.
    """
    asked = f"{url}/api/v1/query?{urlencode({'query': expression})}"
    try:
        answer = fetch(asked, timeout_s)
        body = json.loads(answer.body)
    except (OSError, ValueError) as error:
        raise MetricsUnavailable(f"Prometheus at {url} does not answer as Prometheus does: {error}.") from error
    said = body if isinstance(body, dict) else {}
    if said.get("status") != "success" or said.get("warnings"):
        reason = said.get("error") or said.get("warnings") or f"status {answer.status}"
        raise MetricsUnavailable(f"Prometheus at {url} has no whole answer to {expression}: {reason}.")
    result = said.get("data", {}).get("result")
    if not isinstance(result, list):
        raise MetricsUnavailable(f"Prometheus at {url} answered {expression} without a result.")
    return result
