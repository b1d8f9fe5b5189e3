"""What a reader sees and does in a real browser: a run begun by a form and followed to its end, a rollback as it comes.

And what a page of a step may not: reach the page around it, the network, or the cookie.
"""

import time
from collections.abc import Callable, Iterator
from typing import Any

import browser as browsing
import pytest
from browser import Browser
from dev_pages import Page, artifact, step, write_run
from places import LOCAL_PROGRAMS
from seaway.platforms.local.serving.rollout_state import FileRolloutStore
from seaway.serving import Arm, DeployedEndpoint

pytestmark = pytest.mark.skipif(not browsing.PROGRAM, reason="Chromium is not on PATH; Debian has it as chromium.")
SAMPLE = str(LOCAL_PROGRAMS / "sample_pipeline.py")
RUN = "20260102-030405-ab12"
WAIT_S = 240
HOSTILE = """<body><script>
document.title = "ran";
const told = document.body.dataset;
try { parent.document.title = "taken" } catch (error) { told.parent = "closed" }
try { told.cookie = document.cookie || "none" } catch (error) { told.cookie = "closed" }
fetch("/apis/v2beta1/runs").then(() => { told.net = "open" }, () => { told.net = "closed" });
</script>"""


@pytest.fixture(scope="module")
def window(page: Page, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with browsing.browser(tmp_path_factory.mktemp("profile")) as found:
        found.visit(page.printed)
        yield found


def text(window: Browser) -> str:
    return str(window.evaluate("document.body.innerText"))


def wait(told: Callable[[], bool]) -> None:
    """Until it is so."""
    end = time.monotonic() + WAIT_S
    while not told():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_the_link_came_in_and_opens_once(window: Browser, page: Page) -> None:
    window.visit(f"{page.url}/")
    assert window.evaluate("document.title") == "Runs · Seaway"
    window.visit(page.printed)
    assert "opened before" in text(window)


def test_a_run_is_begun_by_a_form_and_followed_to_its_end(window: Browser, page: Page) -> None:
    write_run(page.home, RUN, step(1, "make"), source=SAMPLE, pipeline="sample")
    compiled = page.home / "runs" / RUN / "pipeline.yaml"
    from sample_pipeline import sample
    from seaway.kfp import compile as compiler

    compiled.write_text(compiler.compiled(sample).text)
    window.visit(f"{page.url}/runs/{RUN}/again")
    window.evaluate("document.getElementById('p.rows').value = '7'")
    window.evaluate("document.getElementById('start').click()")
    wait(lambda: "/again" not in window.evaluate("location.pathname") and "Steps" in text(window))
    assert window.evaluate("location.pathname").startswith("/runs/")
    wait(lambda: "succeeded" in window.evaluate("(document.querySelector('h1') || {}).innerText || ''"))
    assert "7 rows" in text(window)
    assert window.evaluate("document.querySelectorAll('svg.dag .succeeded').length") >= 3
    assert "succeeded" in window.evaluate("document.getElementById('status').innerText")


def test_a_page_of_a_step_is_closed_off(window: Browser, page: Page) -> None:
    file = page.home / "artifacts" / "hostile.html"
    file.parent.mkdir(exist_ok=True)
    file.write_text(HOSTILE)
    write_run(page.home, RUN, step(1, "write", {"report": artifact(file, "HTML")}))
    window.visit(f"{page.url}/runs/{RUN}/steps/1/outputs/report")
    wait(lambda: window.evaluate("document.body && document.body.dataset.net || ''", frame=1) != "")
    assert window.evaluate("document.title").startswith("report")
    told = {name: window.evaluate(f"document.body.dataset.{name}", frame=1) for name in ("parent", "cookie", "net")}
    assert told == {"parent": "closed", "cookie": "closed", "net": "closed"}


def test_a_name_that_is_script_is_only_text(window: Browser, page: Page) -> None:
    hostile = "<img src=x onerror=\"document.title='taken'\">"
    write_run(page.home, RUN, step(1, hostile, {hostile: hostile}), pipeline=hostile, arguments={hostile: hostile})
    for path in ("/", f"/runs/{RUN}", f"/runs/{RUN}/steps/1", f"/compare?run={RUN}&run={RUN}"):
        window.visit(page.url + path)
        assert window.evaluate("document.querySelectorAll('main img').length") == 0, path
        assert window.evaluate("document.title") != "taken"


def test_a_rollback_is_seen_as_it_comes(window: Browser, page: Page) -> None:
    folder = page.home / "endpoints" / f"churn-{RUN}"
    folder.mkdir(parents=True)
    arms = {name: Arm(name, str(folder), name) for name in ("stable", "candidate")}
    endpoint = DeployedEndpoint("churn", RUN, folder, "http://127.0.0.1:9", arms=arms)
    endpoint.write()
    store, ticks = FileRolloutStore(), [tick(0, 5, "UNDECIDED")]
    store.write(endpoint, journal(ticks, None))
    window.visit(f"{page.url}/endpoints/churn/{RUN}")
    wait(lambda: "errors: undecided" in text(window))
    ticks.append(tick(1, 25, "UNDECIDED"))
    store.write(endpoint, journal(ticks, None))
    wait(lambda: "25 %" in text(window))
    ticks.append(tick(2, 25, "HARMFUL"))
    store.write(endpoint, journal(ticks, "ROLLBACK"))
    wait(lambda: "rolled back" in window.evaluate("document.getElementById('rollout').innerText"))
    assert "Because of errors" in text(window)


def test_every_page_fits_a_phone_and_follows_the_keyboard(window: Browser, page: Page) -> None:
    for path in (
        "/",
        f"/runs/{RUN}",
        f"/runs/{RUN}/again",
        "/pipelines",
        f"/endpoints/churn/{RUN}",
        "/drift",
        "/notebooks",
    ):
        window.visit(page.url + path, width=400, dark=True)
        assert window.evaluate("document.documentElement.scrollWidth") <= 400, path
        assert window.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(14, 20, 32)"
        unnamed = "[...document.querySelectorAll('input:not([type=hidden]),select,textarea,button,a')]" \
            ".filter((one) => !(one.labels && one.labels.length) && !one.innerText && !one.getAttribute('aria-label')" \
            " && !one.textContent).length"  # fmt: skip
        assert window.evaluate(unnamed) == 0, path
        assert window.evaluate("document.querySelectorAll('main h1').length") == 1, path


def journal(ticks: list[dict[str, Any]], decision: str | None) -> dict[str, Any]:
    levels = {"errors": {"harm": 3.0, "safety": 4.0}}
    return {"ticks": ticks, "decision": decision, "reason": "Because of errors.", "levels": levels}


def tick(number: int, weight: int, finding: str) -> dict[str, Any]:
    evidence = {
        "criterion": "errors", "finding": finding, "log_e_harm": 1.5 * number, "log_e_safety": -1.0,
        "sentence": "Errors: worse than the tolerated 0.",
    }  # fmt: skip
    return {
        "time": 10.0 + number,
        "weights": {"stable": 100 - weight, "candidate": weight},
        "requests": {"stable": 95, "candidate": 5},
        "errors": {"stable": 0, "candidate": 2},
        "latency_p50_ms": {"stable": 4.0, "candidate": 5.0},
        "loss": {"stable": 0.2, "candidate": None},
        "evidence": [evidence],
    }
