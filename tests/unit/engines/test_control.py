from __future__ import annotations

import pytest

from ionbox.circuits.circuit import Circuit
from ionbox.circuits.gates import ROW_BY_NAME
from ionbox.circuits.program import (
    Bits,
    Constant,
    Expression,
    Measure,
    Program,
    ProgramBuilder,
    Reset,
)
from ionbox.engines.control import MOST_JUMPS, jumps_back, start, start_of_end
from ionbox.errors import InvalidCircuitError


def conditional(value: int) -> Program:
    """Assign a value to two bits; reset qubit 0 only if the bits are 2; measure at the end."""
    builder = ProgramBuilder(2, "qis")
    bits = tuple(range(builder.add_register("c", 3).size))
    builder.add_operation(ROW_BY_NAME["qis", "h"], (0,))
    builder.assign(bits[:2], Constant(value))
    past = builder.jump(Expression("==", (Bits(bits[:2]), Constant(2))))
    builder.reset(0)
    builder.land(past)
    builder.measure(1, 2)
    return builder.build()


def looping(times: int) -> Program:
    builder = ProgramBuilder(1, "qis")
    count = tuple(range(builder.add_register("count", 20).size))
    again = builder.here()
    builder.assign(count, Expression("+", (Bits(count), Constant(1))))
    done = builder.jump(Expression("<", (Bits(count), Constant(times))))
    builder.jump_to(again)
    builder.land(done)
    return builder.build()


@pytest.mark.parametrize(("value", "is_reset"), [(2, True), (1, False), (6, True)])
def test_the_steps_on_qubits_are_those_that_the_bits_lead_to(value: int, is_reset: bool) -> None:
    control = start(conditional(value))

    assert isinstance(control.quantum_step(), Circuit)
    control.place += 1
    assert (control.quantum_step() == Reset(0)) is is_reset
    assert list(control.bits) == [value & 1, value >> 1 & 1, 0]


def test_the_measurements_at_the_end_are_no_steps_of_their_own() -> None:
    program = conditional(1)
    control = start(program)
    control.place = start_of_end(program)

    assert control.quantum_step() is None
    assert program.steps[control.place :] == (Measure(1, 2),)


def test_a_copy_goes_its_own_way() -> None:
    control = start(conditional(1))
    copied = control.copy()

    copied.bits[0] = 1
    copied.place += 1

    assert (control.bits[0], control.place) == (0, 0)


@pytest.mark.parametrize(("program", "is_loop"), [(conditional(0), False), (looping(2), True)])
def test_a_jump_to_an_earlier_place_may_be_a_loop(program: Program, is_loop: bool) -> None:
    assert jumps_back(program) is is_loop


def test_a_loop_of_as_many_jumps_as_are_allowed_ends() -> None:
    control = start(looping(MOST_JUMPS))
    control.place = 1

    assert control.quantum_step() is None
    assert control.jumps == MOST_JUMPS


def test_a_longer_loop_is_refused() -> None:
    control = start(looping(MOST_JUMPS + 1))
    control.place = 1

    with pytest.raises(InvalidCircuitError, match=f"did not end after {MOST_JUMPS} jumps"):
        control.quantum_step()
