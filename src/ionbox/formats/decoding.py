"""JSON to typed values, with errors that name the place as the caller wrote it."""

from __future__ import annotations

import re
from typing import Final, TypeVar

import msgspec

from ionbox.errors import InvalidInputError

T = TypeVar("T")

# Such as: Expected `int`, got `str` - at `$.circuit[3].target`
_MSGSPEC_MESSAGE: Final = re.compile(r"(?P<message>.*?)(?: - at `\$\.?(?P<path>.*)`)?", re.DOTALL)


def decode(
    data: bytes | memoryview,
    decoder: msgspec.json.Decoder[T],
    *,
    whole: str = "",
    error_type: type[InvalidInputError] = InvalidInputError,
) -> T:
    """Return what the text means to a decoder.

    Args:
        whole: How errors name the whole text.
        error_type: What is raised.

    Raises:
        InvalidInputError: Or `error_type`, if the text is not JSON, or not of the type.
    """
    try:
        return decoder.decode(data)
    except msgspec.ValidationError as error:
        parts = _MSGSPEC_MESSAGE.fullmatch(str(error))
        assert parts is not None  # noqa: S101 - both groups may be empty
        raise error_type(parts["path"] or whole, parts["message"]) from error
    except UnicodeDecodeError as error:
        raise error_type(whole, "JSON is malformed: a string is not UTF-8") from error
    except msgspec.DecodeError as error:
        raise error_type(whole, str(error)) from error
    except RecursionError as error:
        raise error_type(whole, "JSON is nested too deeply") from error
