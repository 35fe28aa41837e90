"""The errors that are meant for a user: the command prints them in one line, and its own defects with a traceback."""

from __future__ import annotations

from typing import ClassVar


class CnnzooError(Exception):
    """The base of every error that says what is wrong with what was given: a name, a size, a description, a file."""

    exit_code: ClassVar[int] = 2
    """What the command ends with: 2 where its input cannot be, 1 where a network or a process fails."""


class InvalidValueError(CnnzooError, ValueError):
    """A value that cannot be taken; the message says which can."""


class InvalidTypeError(CnnzooError, TypeError):
    """A keyword that is not taken, or an argument of another type than what is; the message says what is taken."""
