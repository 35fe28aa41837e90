"""What is inside of a network with weights: kernels before and after training, maps, and effective receptive fields.

Each function takes what `create_model` takes or a module, and with `trained` a file of weights, or a module that has
them. What a network begins with is drawn by `seed`; a module begins with what it has.
"""

from __future__ import annotations

from ...extras import need

need("looking inside", "draw", "numpy")

from .field import Field, Measuring, Seen, look_field  # noqa: E402
from .maps import Maps, look_maps  # noqa: E402
from .weights import Weights, look_weights  # noqa: E402

__all__ = ["Field", "Maps", "Measuring", "Seen", "Weights", "look_field", "look_maps", "look_weights"]
