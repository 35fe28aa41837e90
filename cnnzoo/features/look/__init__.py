"""What is inside of a network with weights: kernels before and after training, maps, and effective receptive fields.

Each function takes what `create_model` takes or a module, and with `trained` a file of weights, or a module that has
them. What a network begins with is drawn by `seed`; a module begins with what it has.
"""

from __future__ import annotations

from importlib.util import find_spec

from ...errors import CnnzooError

if find_spec("numpy") is None:
    raise CnnzooError("numpy must be installed to look inside: pip install 'cnnzoo[draw]'")

from .field import Field, Measuring, Seen, look_field
from .maps import Maps, look_maps
from .weights import Weights, look_weights

__all__ = ["Field", "Maps", "Measuring", "Seen", "Weights", "look_field", "look_maps", "look_weights"]
