"""Which rows are chosen: what each strategy says, and what holds for all."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seaway.errors import InvalidSpec
from seaway.labeling.choice import RANDOM, STRATEGIES, Floats, Pool, choose


def pool(rows: int, seed: int = 0) -> Pool:
    generator = np.random.default_rng(seed)
    return Pool(rows, generator.dirichlet([1, 1, 1], rows), generator.normal(size=(rows, 4)))


@settings(max_examples=60, deadline=None)
@given(
    st.sampled_from(sorted(STRATEGIES)), st.integers(1, 60), st.integers(1, 80), st.floats(0, 1), st.integers(0, 9),
    st.booleans(),
)  # fmt: skip
def test_any_strategy_gives_as_many_different_rows_as_asked_and_the_same_again(
    strategy: str, rows: int, count: int, share: float, seed: int, alike: bool
) -> None:
    given_pool = Pool(rows, np.full((rows, 3), 1 / 3), np.zeros((rows, 2))) if alike else pool(rows)
    by, at_random = choose(given_pool, count, strategy, share, seed)
    both = np.concatenate([by, at_random])
    assert len(both) == len(set(both.tolist())) == min(count, rows)
    assert ((both >= 0) & (both < rows)).all()
    assert len(at_random) == (min(count, rows) if strategy == RANDOM else round(share * min(count, rows)))
    again = choose(given_pool, count, strategy, share, seed)
    assert [one.tolist() for one in again] == [by.tolist(), at_random.tolist()]


def test_entropy_and_margin_take_the_undecided() -> None:
    likely = np.array([[0.98, 0.01, 0.01], [0.5, 0.49, 0.01], [0.4, 0.3, 0.3], [0.9, 0.1, 0.0]])
    assert choose(Pool(4, likely), 2, "entropy", 0, 0)[0].tolist() == [2, 1]
    assert choose(Pool(4, likely), 2, "margin", 0, 0)[0].tolist() == [1, 2]


def test_core_set_takes_what_is_farthest_from_all_that_is_known() -> None:
    like = np.array([[0.0], [1.0], [5.0], [9.0]])
    assert choose(Pool(4, None, like, np.array([[0.0]])), 2, "core_set", 0, 0)[0].tolist() == [3, 2]
    assert choose(Pool(4, None, like, np.array([[9.0]])), 2, "core_set", 0, 0)[0].tolist() == [0, 2]


def gradients(likely: Floats, like: Floats) -> Floats:
    """Of the last layer, written out."""
    error = likely.copy()
    error[np.arange(len(error)), error.argmax(axis=1)] -= 1
    return np.einsum("rc,rw->rcw", error, like).reshape(len(like), -1)


def test_badge_goes_by_the_lengths_and_distances_of_gradients() -> None:
    """Never two equal ones while others are left, and first the longest."""
    like = np.repeat(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, -1.0], [3.0, 0.0]]), 5, axis=0)
    likely = np.tile([[0.6, 0.4]], (20, 1))
    long = np.linalg.norm(gradients(likely, like), axis=1)
    for seed in range(10):
        found = choose(Pool(20, likely, like), 4, "badge", 0, seed)[0]
        assert long[found[0]] == long.max()
        assert {int(place) // 5 for place in found} == {0, 1, 2, 3}


def test_badge_draws_by_the_square_of_the_distance() -> None:
    """The second of three: far and near by 4 to 1 in distance, so 16 to 1 in draws."""
    like, likely = np.array([[10.0], [6.0], [9.0]]), np.array([[0.5, 0.5]] * 3)
    second = [int(choose(Pool(3, likely, like), 2, "badge", 0, seed)[0][1]) for seed in range(400)]
    assert 0.90 < second.count(1) / 400 < 0.98


def test_the_random_share_is_drawn_of_all_rows_whatever_the_strategy_thinks_of_them() -> None:
    likely = np.array([[0.5, 0.5]] * 50 + [[1.0, 0.0]] * 150)
    drawn = [choose(Pool(200, likely), 40, "entropy", 0.5, seed)[1] for seed in range(50)]
    assert abs(np.concatenate(drawn).mean() - 99.5) < 5
    assert abs((np.concatenate(drawn) < 50).mean() - 0.25) < 0.05


@pytest.mark.parametrize(
    ("strategy", "lacks", "told"),
    [
        ("entropy", Pool(3), "probabilities"),
        ("badge", Pool(3, np.ones((3, 2)) / 2), "embedding"),
        ("core_set", Pool(3), "embedding"),
        ("best", Pool(3), "entropy, margin, badge, core_set, random"),
    ],
)
def test_what_a_strategy_lacks_is_told(strategy: str, lacks: Pool, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told):
        choose(lacks, 1, strategy, 0, 0)


@pytest.mark.parametrize(("count", "share"), [(0, 0.1), (5, -0.1), (5, 1.5)])
def test_counts_and_shares_that_cannot_be_are_refused(count: int, share: float) -> None:
    with pytest.raises(InvalidSpec, match="share in"):
        choose(pool(10), count, "entropy", share, 0)
