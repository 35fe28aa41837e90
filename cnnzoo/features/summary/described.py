"""What can be seen in a description alone is asked of a report that has one."""

from __future__ import annotations

from ...errors import CnnzooError
from ...report import Report


class NoDescriptionError(CnnzooError, ValueError):
    """A module without a description, where what is wanted can be seen in one alone; the message says why."""


def described(report: Report, wanted: str) -> Report:
    """A report that is calculated from a description: itself, or that of the measured module's description, parts of
    which are foreign. `NoDescriptionError`, with what is `wanted` and why it cannot be, where there is neither."""
    if report.description is not None:
        return report
    if report.described is not None:
        return report.described
    why = report.undescribed or "it is measured alone; cnnzoo.summary describes a module"
    raise NoDescriptionError(f"{report.model or 'the network'} has no description: {why}; {wanted}")
