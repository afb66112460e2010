from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ionbox.circuits.circuit import Circuit


class Symmetries(Protocol):
    num_allowed_states: int

    def is_allowed(self, rows: NDArray[np.uint8]) -> NDArray[np.bool_]: ...


def conserved(circuit: Circuit) -> Symmetries:
    raise NotImplementedError
