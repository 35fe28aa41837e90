"""A result that is a table and a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...extras import NotInstalledError
from ...render.document import Shown
from . import finished, in_page, need, need_for
from .sheet import Sheet, draw, figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Pictured(Shown):
    """A value that prints as its document, and can be drawn; a notebook shows both."""

    def sheet(self) -> Sheet:
        raise NotImplementedError

    def figure(self) -> Figure:
        """The picture as a figure of matplotlib. `NotInstalledError` without `pip install 'cnnzoo[draw]'`."""
        need("matplotlib")
        return figure(self.sheet())

    def to(self, format: str) -> bytes:
        """What a file has: "svg", "png" or "pdf". An SVG has light and dark colours and follows the reader's.

        Raises InvalidValueError for another format, and `NotInstalledError` without `pip install 'cnnzoo[draw]'`.
        """
        need_for(format)
        return finished(draw(self.sheet(), format), format)

    def _repr_html_(self) -> str:
        table = super()._repr_html_()
        try:
            return in_page(self.to("svg"), self.document().heading) + table
        except NotInstalledError as error:
            return f"{table}<p>{error}</p>"
