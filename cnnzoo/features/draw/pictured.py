"""A result that is a table and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...errors import InvalidValueError
from ...render.document import Shown
from . import DRAWN, CannotDrawError, finished, in_page, need
from .sheet import Sheet, draw, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Pictured(Shown):
    """A value that prints as its document, and can be drawn; a notebook shows both."""

    def sheet(self) -> Sheet:
        raise NotImplementedError

    def figure(self) -> Figure:
        """The picture as a figure of matplotlib. `CannotDrawError` without `pip install 'cnnzoo[draw]'`."""
        need("matplotlib")
        return figure(self.sheet())

    def to(self, format: str) -> bytes:
        """What a file has: "svg", "png" or "pdf". An SVG has light and dark colours and follows the reader's.

        Raises InvalidValueError for another format, and `CannotDrawError` without `pip install 'cnnzoo[draw]'`.
        """
        if format not in DRAWN:
            raise InvalidValueError(f"unknown format {format!r}; there are {', '.join(DRAWN)}")
        need("matplotlib")
        return finished(draw(self.sheet(), format), format)

    def _repr_html_(self) -> str:
        table = super()._repr_html_()
        try:
            return in_page(self.to("svg"), self.document().heading) + table
        except CannotDrawError as error:
            return f"{table}<p>{error}</p>"
