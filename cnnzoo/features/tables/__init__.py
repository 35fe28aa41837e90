"""What the documentation says by the code: its pages have generated regions between marks, and generated pictures."""

from .marks import MarkError
from .pages import File, Need, files, make, needs, sources

__all__ = ["File", "MarkError", "Need", "files", "make", "needs", "sources"]
