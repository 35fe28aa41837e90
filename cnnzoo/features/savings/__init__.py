"""What the argument of an architecture saves: the network as designed beside the one without the technique."""

from __future__ import annotations

from typing import Any

from ...errors import InvalidTypeError
from ...rewrites import DoesNotApply
from ...words import quoted
from ..summary import Network, described, reported
from .places import Place, Saving
from .saved import FAMOUS, TECHNIQUES, Entry, Savings, Technique, find, saved

__all__ = [
    "FAMOUS",
    "TECHNIQUES",
    "DoesNotApply",
    "Entry",
    "Place",
    "Saving",
    "Savings",
    "Technique",
    "find",
    "saved",
    "savings",
]


def savings(
    network: Network,
    by: str | None = None,
    *,
    input_size: Any = None,
    **settings: Any,
) -> Savings:
    """What a network saves by the technique that its family is known for, or `by` another: `saved`, which it raises
    the errors of.

    A network is what `summary` takes, or a report; `input_size` and `settings` go to `summary`. Raises what that does,
    and `NoDescriptionError` for a module without a description.
    """
    if not isinstance(by, str | None):
        raise InvalidTypeError(f"by is a technique's name, got {quoted(by)}")
    report = reported(network, input_size, **settings)
    return saved(described(report, "what would be saved cannot be seen"), by)
