"""Shots of a line of tensors that errors change in some of them.

From the right, what lies behind each bond is added up once for all shots that have the same errors
there. From the left, the qubits are measured one after the other, in all shots at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ionbox.engines.chain import Tensor
from ionbox.engines.errors import Errors
from ionbox.engines.network import Network, distinct_rows, errors_by_site

Ids = NDArray[np.intp]


class Behind(NamedTuple):
    """What lies to the right of a bond; pattern 0 is always the one without errors.

    Args:
        forms: One for each pattern of errors there: what the squared length of a state is, as a
            form on the bond.
        letters: Of each pattern, in the slots that have an effect on the bond.
        reaches: Of these slots.
        of_shots: Which pattern each shot has.
    """

    forms: Tensor
    letters: NDArray[np.uint8]
    reaches: Ids
    of_shots: Ids


class Site(NamedTuple):
    """A place on the line; pattern 0 is always the one without errors.

    Args:
        tensors: One for each pattern of errors on it.
        of_shots: Which of them each shot has.
        behind: What lies to its right.
    """

    tensors: Tensor
    of_shots: Ids
    behind: Behind


def contracted(network: Network, errors: Errors, shots: int) -> list[Site]:
    """Return all sites, from the left."""
    behind = Behind(
        np.ones((1, 1, 1), np.complex128),
        np.zeros((1, 0), np.uint8),
        np.zeros(0, np.intp),
        np.zeros(shots, np.intp),
    )
    found: list[Site] = []
    for here in errors_by_site(network, errors, shots):
        place = len(network.reaches) - 1 - len(found)
        found.append(Site(network.tensors(place, here.patterns), here.of_shots, behind))
        behind = _with(found[-1], here.patterns, network.reaches[place], place)
    return found[::-1]


def _with(site: Site, letters: NDArray[np.uint8], reaches: Ids, bond: int) -> Behind:
    """Return what lies to the right of the bond to the left of a site.

    Args:
        letters: Of the patterns on the site.
        reaches: Of its slots.
        bond: Its number, which is that of the site.
    """
    behind = site.behind
    num_behind = len(behind.forms)
    pairs, of_shots = _numbered(site.of_shots * num_behind + behind.of_shots)
    ids, ids_behind = np.divmod(pairs, num_behind)
    all_letters = np.concatenate([letters[ids], behind.letters[ids_behind]], axis=1)
    all_reaches = np.concatenate([reaches, behind.reaches])
    has_effect = all_reaches < bond
    rows, first, places = distinct_rows(all_letters[:, has_effect])
    # By what is on the site, where the pair without errors stays the first.
    order = np.argsort(ids[first], kind="stable")
    rank = np.empty_like(order)
    rank[order] = np.arange(order.size)
    chosen = first[order]
    forms = _forms(site.tensors, behind.forms[ids_behind[chosen]], ids[chosen])
    return Behind(forms, rows[order], all_reaches[has_effect], rank[places][of_shots])


def _numbered(keys: Ids) -> tuple[Ids, Ids]:
    """Return 0 and the other keys that differ, and which of them each one is."""
    (hit,) = keys.nonzero()
    others, ids = np.unique(keys[hit], return_inverse=True)
    numbers = np.zeros_like(keys)
    numbers[hit] = ids + 1
    return np.concatenate([[0], others]), numbers


def _forms(tensors: Tensor, behind: Tensor, ids: Ids) -> Tensor:
    """Return forms on the bond to the left of a site.

    Args:
        behind: Those on the bond to the right.
        ids: The tensor that belongs to each, ascending.
    """
    left = tensors.shape[1]
    found = np.empty((ids.size, left, left), np.complex128)
    borders = np.searchsorted(ids, np.arange(len(tensors) + 1)).tolist()
    for tensor, (first, last) in zip(tensors, pairwise(borders), strict=True):
        if first < last:
            found[first:last] = _around(tensor, behind[first:last])
    return found


def _around(tensor: Tensor, forms: Tensor) -> Tensor:
    """Return each form on the bond to the right of a tensor as one on the bond to its left."""
    left, _, right = tensor.shape
    bra = tensor.conj().transpose(2, 1, 0).reshape(right, 2 * left)
    half = (forms.reshape(-1, right) @ bra).reshape(-1, 2 * right, left)
    found: Tensor = tensor.transpose(0, 2, 1).reshape(left, 2 * right) @ half
    return found


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
    (hit,) = site.of_shots.nonzero()
    branches[hit] = (states[hit, np.newaxis] @ tensors[site.of_shots[hit]])[:, 0]
    return branches.reshape(-1, 2, right)


def _weights(branches: Tensor, site: Site) -> NDArray[np.float64]:
    """Return the squared length of either branch of each shot."""
    right = branches.shape[2]
    halves = (branches.reshape(-1, right) @ site.behind.forms[0]).reshape(branches.shape)
    (hit,) = site.behind.of_shots.nonzero()
    halves[hit] = branches[hit] @ site.behind.forms[site.behind.of_shots[hit]]
    weights: NDArray[np.float64] = np.einsum(
        "sbr,sbr->sb", halves.view(np.float64), branches.view(np.float64)
    )
    return weights.clip(0)  # rounding may take one below
