"""A family's configurations: those nearest a budget, and every combination of what can be varied."""

from .family import Choice, Family, UnknownKnobError
from .match import Budget, Match, match

__all__ = ["Budget", "Choice", "Family", "Match", "UnknownKnobError", "match"]
