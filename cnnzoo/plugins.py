"""What other packages add, by entry point: networks, rewrites, and the modules of their layers."""

from __future__ import annotations

import warnings

_loaded: set[str] = set()


def load_plugins(group: str) -> None:
    """Import, once, all that installed packages name in an entry point group; what cannot be imported is a warning."""
    if group in _loaded:
        return
    _loaded.add(group)
    from importlib.metadata import entry_points

    for entry in entry_points(group=group):
        try:
            entry.load()
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
            warnings.warn(f"the plugin {entry.name} ({entry.value}) could not be loaded: {problem}", stacklevel=4)
