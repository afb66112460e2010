"""Shots of a line of tensors that errors change in some of them.

From the right, what lies behind each bond is added up once for all shots that have the same errors
there. From the left, the qubits are measured one after the other, in all shots at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.engines.chain import Tensor
from ionbox.engines.errors import Errors
from ionbox.engines.network import Network, errors_by_site

Ids = NDArray[np.intp]


class Site(NamedTuple):
    """A place on the line; pattern 0 is always the one without errors.

    Args:
        tensors: One for each pattern of errors on it.
        patterns: Which of them each shot has.
        behind: One for each pattern of errors to the right: what the squared length of a state is,
            as a form on the bond to the right.
        patterns_behind: Which of them each shot has.
    """

    tensors: Tensor
    patterns: Ids
    behind: Tensor
    patterns_behind: Ids


def contracted(network: Network, errors: Errors, shots: int) -> list[Site]:
    """Return all sites, from the left."""
    behind, patterns_behind = np.ones((1, 1, 1), np.complex128), np.zeros(shots, np.intp)
    found = []
    for site, here in reversed(list(enumerate(errors_by_site(network, errors, shots)))):
        tensors = network.tensors(site, here.patterns)
        found.append(Site(tensors, here.of_shots, behind, patterns_behind))
        pairs, patterns_behind = _numbered(here.of_shots * len(behind) + patterns_behind)
        behind = _with(tensors, behind, *np.divmod(pairs, len(behind)))
    return found[::-1]


def _numbered(keys: Ids) -> tuple[Ids, Ids]:
    """Return 0 and the other keys that differ, and which of them each one is."""
    (hit,) = keys.nonzero()
    others, ids = np.unique(keys[hit], return_inverse=True)
    numbers = np.zeros_like(keys)
    numbers[hit] = ids + 1
    return np.concatenate([[0], others]), numbers


def _with(tensors: Tensor, behind: Tensor, ids: Ids, ids_behind: Ids) -> Tensor:
    """Return what is behind a site and the site together, for each pair of patterns."""
    num_patterns, left, _, right = tensors.shape
    conjugates = tensors.conj().reshape(num_patterns, left, -1)
    half = tensors.reshape(num_patterns, 2 * left, right)[ids] @ behind[ids_behind]
    return half.reshape(-1, left, 2 * right) @ conjugates[ids].transpose(0, 2, 1)


def measured(sites: Sequence[Site], uniforms: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Measure from the left: each qubit given what the ones before it gave.

    Args:
        uniforms: In [0, 1), shape (shots, sites).

    Returns:
        Bits, of the same shape.
    """
    shots = np.arange(len(uniforms))
    found = np.empty(uniforms.shape, np.uint8)
    states = np.ones((len(uniforms), 1), np.complex128)
    for number, site in enumerate(sites):
        branches = _branches(states, site)
        weights = _weights(branches, site)
        bits = uniforms[:, number] * weights.sum(axis=1) >= weights[:, 0]
        found[:, number] = bits
        chosen = bits.astype(np.intp)
        states = branches[shots, chosen] / np.sqrt(weights[shots, chosen])[:, np.newaxis]
    return found


def _branches(states: Tensor, site: Site) -> Tensor:
    """Return what the state of each shot becomes for either bit."""
    _, left, _, right = site.tensors.shape
    tensors = site.tensors.reshape(-1, left, 2 * right)
    branches: Tensor = states @ tensors[0]
    (hit,) = site.patterns.nonzero()
    branches[hit] = (states[hit, np.newaxis] @ tensors[site.patterns[hit]])[:, 0]
    return branches.reshape(-1, 2, right)


def _weights(branches: Tensor, site: Site) -> NDArray[np.float64]:
    """Return the squared length of either branch of each shot."""
    halves = branches @ site.behind[0]
    (hit,) = site.patterns_behind.nonzero()
    halves[hit] = branches[hit] @ site.behind[site.patterns_behind[hit]]
    weights: NDArray[np.float64] = np.einsum(
        "sbr,sbr->sb", halves.view(np.float64), branches.view(np.float64)
    )
    return weights.clip(0)  # rounding may take one below
