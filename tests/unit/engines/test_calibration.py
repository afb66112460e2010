from __future__ import annotations

import pytest
from msgspec.structs import replace

from ionbox.engines.calibration import NEAR_BYTES, REFERENCE, KernelSpeed, KernelWork, NumpySpeed

NUMPY = NumpySpeed(operation=1.0, near_byte=2.0, far_byte=3.0)
KERNEL = KernelSpeed(operation=1.0, step_byte=2.0, near_byte=3.0, far_byte=4.0, thread_gain=0.5)
WORK = KernelWork(operations=5, steps=7.0, passes=2.0, state_bytes=NEAR_BYTES)


def test_a_pass_costs_the_bytes_of_the_state_and_of_what_numpy_makes_on_the_way() -> None:
    assert NUMPY.passes(1, 2, 16) == 2 * (16 + 12) * 2.0
    assert NUMPY.passes(5, 2, 16) == 5 * NUMPY.passes(1, 2, 16)


@pytest.mark.parametrize(("num_amplitudes", "byte"), [(1 << 18, 2.0), (1 << 19, 3.0)])
def test_a_byte_costs_more_where_the_caches_end(num_amplitudes: int, byte: float) -> None:
    assert NUMPY.passes(1, num_amplitudes, 16) == num_amplitudes * 28 * byte


def test_the_kernels_time_is_that_of_operations_steps_and_memory() -> None:
    assert KERNEL.seconds(WORK, 1) == 5 + (2 * 7 + 3 * 2) * NEAR_BYTES
    far = WORK._replace(state_bytes=NEAR_BYTES + 1)
    assert KERNEL.seconds(far, 1) == 5 + (2 * 7 + 4 * 2) * (NEAR_BYTES + 1)


def test_threads_share_all_but_the_reading_of_operations() -> None:
    alone, three = KERNEL.seconds(WORK, 1), KERNEL.seconds(WORK, 3)

    assert KERNEL.speed_up(1) == 1
    assert three - 5 == (alone - 5) / 2
    assert replace(KERNEL, thread_gain=0.0).seconds(WORK, 8) == alone


def test_the_reference_has_a_value_for_everything() -> None:
    parts = (REFERENCE.numpy, REFERENCE.kernel)

    assert all(getattr(part, name) > 0 for part in parts for name in part.__struct_fields__)
