from __future__ import annotations

import pytest

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.circuits.program import (
    MAX_BITS,
    MAX_VALUE_SIZE,
    Assign,
    Bits,
    Constant,
    Expression,
    Jump,
    Measure,
    ProgramBuilder,
    Reset,
    Value,
    evaluate,
    program_of,
)
from ionbox.errors import InvalidCircuitError

H, X = ROW_BY_NAME["qis", "h"], ROW_BY_NAME["qis", "x"]


def builder(num_qubits: int = 2, num_bits: int = 2) -> ProgramBuilder:
    result = ProgramBuilder(num_qubits, "qis")
    result.add_register("c", num_bits)
    return result


def steps(of: ProgramBuilder) -> list[object]:
    """Return the steps with circuits as lists of gates and targets."""
    return [
        [(operation.gate.name, *operation.targets) for operation in step.operations()]
        if isinstance(step, Circuit)
        else step
        for step in of.build().steps
    ]


def test_measurements_that_nothing_follows_stand_after_one_circuit() -> None:
    b = builder()
    b.add_operation(H, [0])
    b.measure(0, 0)
    b.add_operation(X, [1])
    b.measure(1, 1)

    assert steps(b) == [[("h", 0), ("x", 1)], Measure(0, 0), Measure(1, 1)]
    program = b.build()
    assert program.circuit is program.steps[0]
    assert program.measured == {0: 0, 1: 1}


def test_a_measured_qubit_that_is_used_again_splits_the_circuit() -> None:
    b = builder()
    b.add_operation(H, [0])
    b.measure(0, 0)
    b.add_operation(X, [0])

    assert steps(b) == [[("h", 0)], Measure(0, 0), [("x", 0)]]
    assert b.build().circuit is None


def test_a_bit_that_is_measured_twice_keeps_the_order() -> None:
    b = builder()
    b.measure(0, 0)
    b.measure(1, 0)

    assert steps(b) == [[], Measure(0, 0), Measure(1, 0)]
    assert b.build().measured == {0: 1}


def test_a_measurement_into_no_bit_counts_only_if_the_qubit_is_used_again() -> None:
    used, left = builder(), builder()
    for b in (used, left):
        b.add_operation(H, [0])
        b.measure(0, None)
    used.add_operation(H, [0])

    assert steps(used) == [[("h", 0)], Measure(0, None), [("h", 0)]]
    assert steps(left) == [[("h", 0)]]
    assert left.build().measured == {}


def test_a_reset_of_a_qubit_that_nothing_has_touched_is_nothing() -> None:
    b = builder()
    b.reset(1)
    b.add_operation(X, [0])
    b.reset(0)
    b.reset(1)

    assert steps(b) == [[("x", 0)], Reset(0)]


def test_behind_a_jump_every_qubit_may_have_been_touched() -> None:
    b = builder()
    place = b.jump(Bits((0,)))
    b.add_operation(X, [1])
    b.land(place)
    b.reset(0)

    assert steps(b) == [[], Jump(3, Bits((0,))), [("x", 1)], Reset(0)]


def test_a_loop_jumps_back_to_where_it_starts() -> None:
    b = builder()
    b.add_operation(X, [0])
    start = b.here()
    out = b.jump(Constant(1))
    b.measure(0, 0)
    b.jump_to(start)
    b.land(out)

    assert steps(b) == [[("x", 0)], Jump(4, Constant(1)), Measure(0, 0), Jump(1)]


def test_an_assignment_comes_after_the_measurements_before_it() -> None:
    b = builder()
    b.measure(0, 0)
    b.assign([1], Bits((0,)))

    assert steps(b) == [[], Measure(0, 0), Assign((1,), Bits((0,)))]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Constant(5), 5),
        (Bits((0, 2)), 3),
        (Bits((1, 0)), 2),
        (Expression("!", (Bits((0,)),)), 0),
        (Expression("&&", (Constant(2), Constant(1))), 1),
        (Expression("-", (Constant(0), Bits((0,)))), -1),
        (Expression("<<", (Bits((0,)), Constant(3))), 8),
        (Expression("<<", (Constant(1), Constant(10**30))), 0),
        (Expression("<<", (Constant(1), Constant(-1))), 0),
        (Expression(">>", (Constant(-1), Constant(10**30))), -1),
        (Expression(">>", (Constant(4), Constant(-1))), 0),
        (Expression("popcount", (Bits((0, 1, 2)),)), 2),
        (Expression("||", (Bits(()), Bits((1,)))), 0),
        (Expression("==", (Expression("^", (Bits((0, 1, 2)), Constant(7))), Constant(2))), 1),
    ],
)
def test_a_value_is_computed_from_bits(value: Value, expected: int) -> None:
    assert evaluate(value, [1, 0, 1]) == expected


def test_the_longest_value_is_computed_and_a_longer_one_cannot_be() -> None:
    value: Value = Bits((0,))
    for _ in range(MAX_VALUE_SIZE - 1):
        value = Expression("!", (value,))

    assert evaluate(value, [1]) == MAX_VALUE_SIZE % 2
    with pytest.raises(ValueError, match=f"a value of over {MAX_VALUE_SIZE}"):
        Expression("!", (value,))


def test_parts_that_a_value_holds_twice_count_twice() -> None:
    value: Value = Bits((0,))
    for _ in range(7):
        value = Expression("+", (value, value))

    assert value.size == 255
    assert evaluate(value, [1]) == 128
    with pytest.raises(ValueError, match="a value of over"):
        Expression("+", (value, value))


def test_a_register_names_the_qubits_its_bits_are_measured_from() -> None:
    circuit = Circuit.from_operations(3, "qis", [])

    program = program_of(circuit, {"a": [2, None], "b": [0]})

    assert program.num_bits == 3
    assert program.measured == {0: 2, 2: 0}
    with pytest.raises(InvalidCircuitError, match=r"^registers\.a\[1\]: qubit 3 of a 3-qubit"):
        program_of(circuit, {"a": [0, 3]})


def test_absurdly_many_bits_are_refused() -> None:
    b = builder()

    with pytest.raises(InvalidCircuitError, match=f"at most {MAX_BITS}"):
        b.add_register("d", MAX_BITS)
