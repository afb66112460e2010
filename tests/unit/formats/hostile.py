"""JSON that means harm: what a library writes, and what only a person with intent does."""

from __future__ import annotations

import json
from collections.abc import Sequence

from hypothesis import strategies as st

BOM = "\ufeff"
# As they stand in the text; some are no JSON.
ATOMS = (
    "null", "true", "0", "-0", "1", "2", "63", "10001", "-1", "0.5", "1e400", "-1e400", "1e-400",
    "1" + "0" * 400, "9" * 100_000, "0." + "1" * 5000, "1e99999999999", "18446744073709551616",
    "NaN", "Infinity", "-Infinity", "01", "+1", ".5", "0x10", "'x'", "tru", "",
    '""', '"h"', '"cnot"', '"pauliexp"', '"XYZ"', '"qis"', '"native"', '"simulator"', '"\\ud800"',
    '"\\udc00\\ud800"', '"\\u0000"', '"\\u0663"', '"\ufffd"', '"\x00"', '"\\x41"', '"\n"', '"inf"',
    '"ionq.circuit.v1"', '"OPENQASM 3; qubit q; h q;"', f'"{"a" * 5000}"',
    "[" * 5000 + "]" * 5000, '{"a":' * 2000 + "1" + "}" * 2000, "[" * 100_000, "[]", "{}",
)  # fmt: skip
# What cannot stand in a text at all.
RAW_BYTES = (b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x00", b"\xc0\xaf")


def documents(keys: Sequence[str]) -> st.SearchStrategy[bytes]:
    """Return texts with objects of these keys, some twice, now and then with broken bytes."""
    names = st.sampled_from([*map(json.dumps, keys), '"\\ud800"', '""', "a"])
    atoms = st.sampled_from(ATOMS)

    def grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        lists = st.lists(inner, max_size=4).map(lambda items: f"[{','.join(items)}]")
        pairs = st.tuples(names, inner).map(":".join)
        objects = st.lists(pairs, min_size=1, max_size=6).map(lambda p: f"{{{','.join(p)}}}")
        return lists | objects | objects

    texts = grown(st.recursive(atoms, grown, max_leaves=12))
    return st.builds(_spoiled, texts, st.integers(0, 19), st.integers(0, 10**6))


def _spoiled(text: str, how: int, where: int) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    at = where % (len(data) + 1)
    if how < len(RAW_BYTES):
        return data[:at] + RAW_BYTES[how] + data[at:]
    if how == len(RAW_BYTES):
        return BOM.encode() + data
    return data[:at] if how == len(RAW_BYTES) + 1 else data
