"""A notice says what failed, why and where to look, and never a secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.notices import compose, wanted
from seaway.notices.receivers import deliverer, named, parsed
from seaway.notices.redaction import SHORTEST, STRUCK, values_of_secrets, without_secrets
from seaway.reporting.run_report import Run
from seaway.reporting.run_steps import StepEnd

FAILED = StepEnd("Train", "failed", "TrainingFailed: rank 1 ran out of memory.", log="epoch 3\nKilled")
RUN = Run("churn-x1", succeeded=False, steps=[StepEnd("Ingest", "succeeded"), FAILED])


def test_a_failure_is_told_by_its_step_its_reason_its_last_lines_its_owner_and_where_to_look() -> None:
    notice = compose(RUN, "Ada", ["https://kubeflow.example.org/#/runs/details/churn-x1"])
    assert notice.failed
    assert notice.title == "Run churn-x1: failed at Train"
    for told in ("rank 1 ran out of memory", "epoch 3\nKilled", "owner: Ada", "runs/details/churn-x1"):
        assert told in notice.body


def test_a_run_that_ended_well_is_told_without_a_failure() -> None:
    notice = compose(Run("churn-x1", succeeded=True, steps=[StepEnd("Ingest", "succeeded")]))
    assert not notice.failed
    assert "failed" not in notice.title + notice.body


def test_a_log_with_a_fence_of_its_own_stays_within_ours() -> None:
    notice = compose(Run("r", succeeded=False, steps=[StepEnd("s", "failed", "no", log="```\n# a heading\n```")]))
    assert notice.body.count("```") == 2


@pytest.mark.parametrize(
    ("when", "told"), [("failure", (True, False)), ("success", (False, True)), ("always", (True,) * 2)]
)
def test_who_wants_to_know_of_what(when: str, told: tuple[bool, bool]) -> None:
    assert (wanted(when, succeeded=False), wanted(when, succeeded=True)) == told


def test_another_word_than_these_is_refused() -> None:
    with pytest.raises(InvalidSpec, match=r"failure, success, always.*'never'"):
        wanted("never", succeeded=True)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("connect to postgresql://ada:hunter2secret@db/shop", "@db/shop"),
        ("AWS_SECRET_ACCESS_KEY=hunter2secret and more", " and more"),
        ('{"api_key": "hunter2secret", "rows": 3}', '"rows": 3'),
        ("Authorization: Bearer hunter2secret", "Authorization"),
        ("sent bearer hunter2secret to it", " to it"),
        ("password = 'hunter2secret'", "password"),
        ("-----BEGIN RSA PRIVATE KEY-----\nhunter2secret\n-----END RSA PRIVATE KEY-----", "-----END"),
        ("the log ends in -----BEGIN PRIVATE KEY-----\nhunter2secret", "the log ends"),
        ("GET /hook?token=hunter2secret&page=2", "&page=2"),
    ],
)
def test_what_looks_like_a_secret_is_struck_out_and_what_is_around_it_stays(text: str, kept: str) -> None:
    told = without_secrets(text)
    assert "hunter2secret" not in told
    assert STRUCK in told
    assert kept in told


@pytest.mark.parametrize(
    "text",
    ["loss=0.31 at epoch 3", "see https://example.org/a?b=c", "4 tokens of 12", "TrainingFailed: rank 1 has no rows."],
)
def test_what_is_none_stays_as_it_is(text: str) -> None:
    assert without_secrets(text) == text


OTHER_LETTERS = st.text("ЖДЛЯЮ \n")  # which our own words have not


@given(st.text("ЖДЛЯЮ", min_size=SHORTEST), OTHER_LETTERS, OTHER_LETTERS)
def test_a_known_secret_stands_nowhere(secret: str, before: str, after: str) -> None:
    step = StepEnd(f"{before}{secret}", "failed", f"{after}{secret}{before}", log=f"{secret}{after}")
    notice = compose(Run(f"{secret}{after}", succeeded=False, steps=[step]), secret, [f"https://{secret}/"], [secret])
    assert secret not in f"{notice.title}{notice.body}"


def test_variables_are_secret_by_their_names() -> None:
    environment = {"MINIO_SECRET_KEY": "a", "HF_TOKEN": "b", "DB_PASSWORD": "c", "PATH": "d", "SEAWAY_HOME": "e"}
    assert values_of_secrets(environment) == ["a", "b", "c"]


def test_addresses_stand_one_a_line() -> None:
    assert parsed("# the team\n\n json://a/b \njson://a/b\nmailto://x@y.z") == ["json://a/b", "mailto://x@y.z"]


@pytest.mark.parametrize("address", ["nothing", "gopher://hunter2secret@host", "slack://hunter2secret", "://"])
def test_an_address_that_is_none_is_refused_without_its_keys(address: str) -> None:
    with pytest.raises(InvalidSpec, match="one a line") as refusal:
        deliverer(address)
    assert "hunter2secret" not in str(refusal.value)


@pytest.mark.parametrize(
    "address",
    [
        "json://ada:hunter2secret@localhost/hook",
        "alertmanager://ada:hunter2secret@localhost",
        "mailtos://ada:hunter2secret@b.org",
    ],
)
def test_a_receiver_is_named_without_its_keys(address: str) -> None:
    assert "hunter2secret" not in named(address)
