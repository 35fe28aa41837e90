"""What other packages add, by entry point: networks, rewrites, and the modules of their layers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

from .errors import CnnzooError, InvalidTypeError, InvalidValueError

_loaded: set[str] = set()


class PluginError(CnnzooError, ValueError):
    """What a plugin's function does wrong, in a line."""


def load_plugins(group: str) -> None:
    """Import, once, all that installed packages name in an entry point group; what cannot be imported is a warning."""
    if group in _loaded:
        return
    _loaded.add(group)
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        try:
            with redirect_stdout(sys.stderr):
                entry.load()
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            problem = f"{type(error).__name__}: {error}"
            warnings.warn(f"the plugin {entry.name} ({entry.value}) could not be loaded: {problem}", stacklevel=4)


def is_ours(function: Callable[..., Any]) -> bool:
    """Whether a function is this package's own, and no plugin's."""
    plain = getattr(function, "func", function)  # of a partial one
    return str(getattr(plain, "__module__", "")).partition(".")[0] == __package__


@contextmanager
def called(name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Around a call of a registered function, which may be a plugin's: what that prints goes to stderr, and what it
    raises becomes an error for the user. A ValueError or a TypeError is taken to say what is wrong with its arguments;
    anything else is a `PluginError`."""
    if is_ours(function):
        yield
        return
    with redirect_stdout(sys.stderr):
        try:
            yield
        except (CnnzooError, KeyboardInterrupt):
            raise
        except ValueError as error:
            raise InvalidValueError(str(error)) from error
        except TypeError as error:
            raise InvalidTypeError(str(error)) from error
        except BaseException as error:
            raise PluginError(f"{name} fails: {type(error).__name__}: {error}") from error
