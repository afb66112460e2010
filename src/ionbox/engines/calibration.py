"""What a machine has for engines: cores, and how fast it is at each kind of work."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

# A state of so many bytes lies in the caches of one core, or nearly so.
NEAR_BYTES: Final = 1 << 22
# What NumPy's temporaries cost for each amplitude, in bytes of a state.
_TEMPORARY_BYTES: Final = 12


class NumpySpeed(msgspec.Struct, frozen=True):
    """What work in NumPy takes, in seconds on one core.

    Args:
        operation: One operation, however small the state is.
        near_byte: One byte, in each pass over a state that fits into the caches.
        far_byte: The same of a state that does not.
    """

    operation: float
    near_byte: float
    far_byte: float

    def passes(self, passes: float, num_amplitudes: int, amplitude_bytes: int) -> float:
        """Predict the time of so many passes over a state."""
        is_near = num_amplitudes * amplitude_bytes <= NEAR_BYTES
        num_bytes = num_amplitudes * (amplitude_bytes + _TEMPORARY_BYTES)
        return passes * num_bytes * (self.near_byte if is_near else self.far_byte)


class KernelWork(NamedTuple):
    """What the kernel does with a circuit.

    Args:
        operations: How many it reads.
        steps: How often it works on the whole state, in the caches.
        passes: How often the whole state goes through memory.
        state_bytes: The size of the state.
    """

    operations: float
    steps: float
    passes: float
    state_bytes: int


class KernelSpeed(msgspec.Struct, frozen=True):
    """What the kernel's work takes, in seconds on one core.

    Args:
        operation: To lower and to plan one operation.
        step_byte: One byte, in each step on a state.
        near_byte: One byte, in each pass over a state that fits into the caches.
        far_byte: The same of a state that does not.
        thread_gain: What each thread after the first one adds to the speed, 0 to 1.
    """

    operation: float
    step_byte: float
    near_byte: float
    far_byte: float
    thread_gain: float

    def seconds(self, work: KernelWork, threads: int) -> float:
        """Predict the time of a run on so many threads; one alone reads the operations."""
        byte = self.near_byte if work.state_bytes <= NEAR_BYTES else self.far_byte
        shared = work.state_bytes * (self.step_byte * work.steps + byte * work.passes)
        return self.operation * work.operations + shared / self.speed_up(threads)

    def speed_up(self, threads: int) -> float:
        """Return how many times faster so many threads are than one."""
        return 1 + self.thread_gain * (threads - 1)


class Calibration(msgspec.Struct, frozen=True):
    """How fast a machine is."""

    numpy: NumpySpeed
    kernel: KernelSpeed


# Measured on one core of a cloud server; good to a factor of a few. A machine is planned for with
# these until it is measured. Whether a program has too many branches to list is always said with
# these, so that it is so on every machine.
REFERENCE: Final = Calibration(
    numpy=NumpySpeed(operation=12e-6, near_byte=0.055e-9, far_byte=0.14e-9),
    kernel=KernelSpeed(
        operation=0.36e-6,
        step_byte=5.6e-12,
        near_byte=0.09e-9,
        far_byte=0.14e-9,
        thread_gain=0.7,
    ),
)


class Machine(msgspec.Struct, frozen=True):
    """What an estimate is for.

    Args:
        cores: The most threads that a run is granted.
        calibration: How fast they are.
    """

    cores: int = 1
    calibration: Calibration = REFERENCE

    @property
    def pace(self) -> float:
        """How long everything takes in Python and NumPy, beside the reference machine."""
        return self.calibration.numpy.operation / REFERENCE.numpy.operation


ONE_CORE: Final = Machine()
