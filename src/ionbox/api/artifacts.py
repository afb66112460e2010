"""What can be had of a job's result, by id: as it is, its variants aggregated, or one of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from ionbox.backends.mitigation import AGGREGATIONS, DEFAULT_AGGREGATION
from ionbox.formats.rendering import FORMATS, Format, formats_of
from ionbox.formats.results import Result, Sampled
from ionbox.formats.variants import aggregated, variant_of

# IonQ tells of aggregations and variants in this format only.
HISTOGRAM: Final = FORMATS["ionq.result.histogram.json.v2"]


@dataclass(frozen=True, slots=True)
class Artifact:
    """A result, or what is made of it, in a format.

    Args:
        result: Returns what is to be printed; it may take a while.
    """

    row: Format
    result: Callable[[], Result]


def artifact_id(row: Format) -> str:
    """Return the id under which a result in this format is found: the service's own words."""
    return row.word if row.version == 1 else f"{row.word}-v{row.version}"


def aggregation_id(aggregation: str) -> str:
    """Return the id of the histogram that an aggregation makes of all variants."""
    return f"{artifact_id(HISTOGRAM)}-{aggregation}"


def variant_artifact_id(number: int) -> str:
    """Return the id of the histogram of one variant."""
    return f"{artifact_id(HISTOGRAM)}-variant-{number}"


def aggregate(result: Result, aggregation: str = DEFAULT_AGGREGATION) -> Result:
    """Put the variants of a result together; one without variants is itself already."""
    if aggregation == DEFAULT_AGGREGATION or not has_variants(result):
        return result
    assert isinstance(result, Sampled)  # noqa: S101 - no other has variants
    return aggregated(result, AGGREGATIONS[aggregation])


def has_variants(result: Result) -> bool:
    """Tell whether a result is of several variants of a circuit."""
    return isinstance(result, Sampled) and result.variants is not None


def artifacts_of(result: Result) -> Mapping[str, Artifact]:
    """Return all that can be had of a result, by its id."""
    artifacts = {artifact_id(row): Artifact(row, lambda: result) for row in formats_of(result)}
    if not isinstance(result, Sampled) or result.variants is None:
        return artifacts
    made: dict[str, Callable[[], Result]] = {
        aggregation_id(word): partial(aggregate, result, word) for word in AGGREGATIONS
    }
    made |= {
        variant_artifact_id(number): partial(variant_of, result, number)
        for number in range(result.num_variants)
    }
    return artifacts | {name: Artifact(HISTOGRAM, part) for name, part in made.items()}
