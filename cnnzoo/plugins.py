"""What other packages add, by entry point: networks, rewrites, and the modules of their layers."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from typing import Any

_loaded: set[str] = set()


class PluginError(ValueError):
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
def called(name: str, function: Callable[..., Any], *meant: type[Exception]) -> Iterator[None]:
    """Around a call of a registered function, which may be a plugin's: what that prints goes to stderr, and what it
    raises is a `PluginError`, but for what is `meant` to be raised."""
    if is_ours(function):
        yield
        return
    with redirect_stdout(sys.stderr):
        try:
            yield
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            if isinstance(error, (ValueError, TypeError, *meant)):
                raise
            raise PluginError(f"{name} fails: {type(error).__name__}: {error}") from error
