"""How a layer's figures come about: for each kind its formulas, with the numbers put in.

A kind has one function, in the file of its theme, from a layer and its input shape (channels first, per sample) to
`Formulas`. What it does not say is explained by what every layer states: its tensors' shapes multiplied out, and the
bare figure.
"""

from . import elements, norms, pooling, shapes, weighted
from .base import FORMULAS, Formulas, formulas_of

__all__ = ["FORMULAS", "Formulas", "elements", "formulas_of", "norms", "pooling", "shapes", "weighted"]
