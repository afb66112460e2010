from __future__ import annotations

from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from ionbox.api.requests import integer_of, values_of
from ionbox.errors import InvalidInputError

LIMITS = range(1, 1001)


def asked(query: str) -> Request:
    return Request({"type": "http", "headers": [], "query_string": query.encode()})


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", None),
        ("other=a", None),
        ("id=a", ("a",)),
        ("id=a&id=b", ("a", "b")),
        ("id[]=a&id[]=b", ("a", "b")),
        ("id%5B%5D=a", ("a",)),
        ("ids=a,b", ("a", "b")),
        ("ids=a&ids[]=b,c", ("a", "b", "c")),
        ("id=a&ids=b", ("a", "b")),
        ("id=", ()),
        ("id=,", ()),
        ("id=a,,b,", ("a", "b")),
        ("id=a%2Cb", ("a", "b")),
        ("id=%C3%BC", ("\u00fc",)),
    ],
)
def test_a_list_is_read_however_it_is_written(query: str, expected: tuple[str, ...] | None) -> None:
    assert values_of(asked(query), "id", "ids") == expected


@pytest.mark.parametrize(
    ("query", "expected"),
    [("", 25), ("limit=1", 1), ("limit=1000", 1000), ("limit=007", 7), ("limit=2&limit=3", 3)],
)
def test_an_integer_is_read_or_the_default_taken(query: str, expected: int) -> None:
    assert integer_of(asked(query), "limit", default=25, allowed=LIMITS) == expected


@pytest.mark.parametrize(
    "text", ["", "0", "-1", "1001", "1.0", "1e2", "x", "%2B1", "+1", "%D9%A3", "%C2%B2", "9" * 5000]
)
def test_what_is_no_integer_in_range_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError) as raised:
        integer_of(asked(f"limit={text}"), "limit", default=25, allowed=LIMITS)

    assert (raised.value.path, raised.value.source) == ("limit", "query")
    assert raised.value.message.endswith("is not an integer from 1 to 1000")


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_is_an_integer_in_range_or_refused(text: str) -> None:
    request = asked(urlencode({"limit": text}))

    try:
        number = integer_of(request, "limit", default=25, allowed=LIMITS)
    except InvalidInputError:
        return
    assert number in LIMITS
