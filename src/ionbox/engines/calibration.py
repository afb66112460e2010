"""What a machine has for engines: cores, and how fast it is at each kind of work."""

from __future__ import annotations

from typing import Final

import msgspec

NEAR_BYTES: Final = 1 << 21  # a state of so many bytes fits into the caches of one core


class Speed(msgspec.Struct, frozen=True):
    """What the work of a kind of engine takes on one core, in seconds.

    Args:
        operation: One operation, however small the state is.
        near_byte: One byte of a state that fits into the caches, in each pass over it.
        far_byte: The same of a state that does not.
    """

    operation: float
    near_byte: float
    far_byte: float

    def passes(self, passes: float, state_bytes: int) -> float:
        """Predict the time of so many passes over a state."""
        byte = self.near_byte if state_bytes <= NEAR_BYTES else self.far_byte
        return byte * state_bytes * passes


class Calibration(msgspec.Struct, frozen=True):
    """How fast a machine is.

    Args:
        numpy: At operations in NumPy.
        kernel: At operations in the extension; a pass is one of `costs.circuit_cost`.
        thread_gain: What the kernel gains by each thread after the first one, 0 to 1.
    """

    numpy: Speed
    kernel: Speed
    thread_gain: float

    def speed_up(self, threads: int) -> float:
        """Return how many times faster so many threads are than one."""
        return 1 + self.thread_gain * (threads - 1)


# Measured on one core of a cloud server; good to a factor of a few. What is sampled is planned with
# these, so that the same job gives the same shots on every machine.
REFERENCE: Final = Calibration(
    numpy=Speed(operation=20e-6, near_byte=0.25e-9, far_byte=0.25e-9),
    kernel=Speed(operation=2e-6, near_byte=0.004e-9, far_byte=0.004e-9),
    thread_gain=0.7,
)


class Machine(msgspec.Struct, frozen=True):
    """What an estimate is for.

    Args:
        cores: The most threads that a run is granted.
        calibration: How fast they are.
    """

    cores: int = 1
    calibration: Calibration = REFERENCE


ONE_CORE: Final = Machine()
