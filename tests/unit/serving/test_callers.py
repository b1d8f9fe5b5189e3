"""Callers of an endpoint: their lines, their tokens, and what Envoy is told of them."""

import pytest
from seaway.errors import InvalidSpec
from seaway.model_server.envoy.config import limits
from seaway.serving.callers import Caller, allowed, parse, rotated, split, text_of, without

ONE, OTHER = "a" * 16, "b" * 16


def test_a_caller_on_two_lines_is_known_by_either_token() -> None:
    callers = parse(f"shop {ONE} 50\n\nshop {OTHER} 50\ndesk {'c' * 16}\n")
    assert callers == (Caller("shop", (ONE, OTHER), 50), Caller("desk", ("c" * 16,), 0))
    assert parse(text_of(callers)) == callers
    assert parse("") == ()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"Shop {ONE}", "'Shop' is no name"),
        ("shop", "Line 1 of the callers"),
        (f"shop {ONE} 5\nshop {OTHER} 6", "two numbers .*line 2"),
        (f"shop {ONE} -5", "Line 1"),
        (f"shop {ONE} 5 6", "Line 1"),
        ("shop short", "A token of caller shop is none"),
        (f"shop {ONE}é", "A token of caller shop is none"),
        (f"shop {ONE}\ndesk {ONE}", "shop and desk have the same token"),
        (f"shop {ONE} {2**31}", "requests a second"),
    ],
)
def test_what_is_no_caller_is_told_without_its_token(text: str, told: str) -> None:
    with pytest.raises(InvalidSpec, match=told) as refused:
        parse(text)
    assert ONE not in str(refused.value)


def test_a_secrets_first_line_is_the_endpoints_own_token() -> None:
    assert split("own\n") == ("own", "")
    assert split(f" own \nshop {ONE}\n") == ("own", f"shop {ONE}")
    assert split("") == ("", "")


def test_a_number_is_changed_and_the_token_stays() -> None:
    (made,) = allowed((), "shop", 5)
    assert len(made.tokens[0]) > 40
    assert allowed((made,), "shop", 7) == (Caller("shop", made.tokens, 7),)
    assert without((made,), "shop") == ()


def test_a_token_is_replaced_while_the_one_before_is_taken() -> None:
    callers = (Caller("desk", (OTHER,)), Caller("shop", (ONE,), 5))
    (desk, shop) = rotated(callers, "shop", both=True)
    assert (desk, shop.tokens[1:], shop.requests_per_s) == (callers[0], (ONE,), 5)
    again = rotated((desk, shop), "shop", both=True)[1]
    assert again.tokens[1:] == shop.tokens[:1], "not more than two are taken"
    assert rotated((desk, shop), "shop", both=False)[1].tokens == shop.tokens[:1]
    with pytest.raises(InvalidSpec, match="no caller 'mall'; there are: desk, shop"):
        rotated(callers, "mall", both=True)


def test_nothing_is_limited_where_nobody_has_a_number() -> None:
    assert limits(0, (Caller("shop", (ONE,)),)) == {}


def test_both_tokens_of_a_caller_take_from_one_bucket() -> None:
    told = limits(0, (Caller("shop", (ONE, OTHER), 5), Caller("desk", ("c" * 16,))))
    taken = [one["actions"][0]["header_value_match"]["descriptor_value"] for one in told["rate_limits"]]
    assert taken == ["shop", "shop"]
    (settings,) = told["typed_per_filter_config"].values()
    assert [one["token_bucket"]["max_tokens"] for one in settings["descriptors"]] == [5]
