"""An architecture zoo with a parameter-count calculator: convolutional networks as data.

`cnnzoo.summary("vgg16")` is a network's report. Importing cnnzoo imports neither torch nor numpy; a
public name, or a module as in `cnnzoo.models.resnet18()`, is looked up where it lives when it is first used.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import models as models
    from .arch import ShapeError
    from .arch.ends import cut
    from .create import Rebuilt, create_model, get_model, rebuild
    from .errors import CnnzooError
    from .features.compare import Comparison, compare
    from .features.diff import Diff, diff
    from .features.draw import draw
    from .features.evaluate import evaluate
    from .features.explain import explain
    from .features.filters import filters
    from .features.heatmap import heatmap
    from .features.look import look_field, look_maps, look_weights
    from .features.savings import savings
    from .features.summary import summary
    from .features.train import train
    from .pytorch.modules.checkpoints import load_checkpoint
    from .registry import Paper, Pinned, UnknownModelError, register
    from .report import Report, Row
    from .resolve import describe
    from .weights.headers import CheckpointError
    from .weights.published import get_weight
    from .zoo import get_builder, get_model_builder, is_model, list_models, model_entrypoint

__version__ = "0.1.0"

_HOMES = {
    "CheckpointError": "weights.headers",
    "CnnzooError": "errors",
    "Comparison": "features.compare",
    "Diff": "features.diff",
    "Figures": "registry",  # of old: `Pinned`
    "Paper": "registry",
    "Pinned": "registry",
    "Rebuilt": "create",
    "Report": "report",
    "Row": "report",
    "ShapeError": "arch",
    "UnknownModelError": "registry",
    "compare": "features.compare",
    "create_model": "create",
    "cut": "arch.ends",
    "describe": "resolve",
    "diff": "features.diff",
    "draw": "features.draw",
    "evaluate": "features.evaluate",
    "explain": "features.explain",
    "filters": "features.filters",
    "look_field": "features.look",
    "look_maps": "features.look",
    "look_weights": "features.look",
    "heatmap": "features.heatmap",
    "savings": "features.savings",
    "get_builder": "zoo",
    "get_model": "create",
    "get_model_builder": "zoo",
    "get_weight": "weights.published",
    "is_model": "zoo",
    "list_models": "zoo",
    "load_checkpoint": "pytorch.modules.checkpoints",
    "model_entrypoint": "zoo",
    "rebuild": "create",
    "register": "registry",
    "summary": "features.summary",
    "train": "features.train",
}

__all__ = [
    "CheckpointError",
    "CnnzooError",
    "Comparison",
    "Diff",
    "Paper",
    "Pinned",
    "Rebuilt",
    "Report",
    "Row",
    "ShapeError",
    "UnknownModelError",
    "compare",
    "create_model",
    "cut",
    "describe",
    "diff",
    "draw",
    "evaluate",
    "explain",
    "filters",
    "get_builder",
    "get_model",
    "get_model_builder",
    "get_weight",
    "heatmap",
    "is_model",
    "list_models",
    "load_checkpoint",
    "look_field",
    "look_maps",
    "look_weights",
    "model_entrypoint",
    "rebuild",
    "register",
    "savings",
    "summary",
    "train",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
            return import_module(f"{__name__}.{name}")
        from .words import hint

        raise AttributeError(f"module 'cnnzoo' has no attribute {name!r}; {hint(name, __all__)}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
