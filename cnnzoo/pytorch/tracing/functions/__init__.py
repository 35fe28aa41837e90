"""The words of torch's functions; importing this fills `words.WORDS`."""

from . import elements, shapes, windows

__all__ = ["elements", "shapes", "windows"]
