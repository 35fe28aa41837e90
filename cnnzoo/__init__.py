"""An architecture zoo with a parameter-count calculator: convolutional networks as data.

`cnnzoo.summary("vgg16")` is a network's report. Importing cnnzoo imports neither torch nor numpy; a
public name, or a module as in `cnnzoo.models.resnet18()`, is looked up where it lives when it is first used.
"""

from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import models as models
    from .api import create_model, describe, get_model, summary
    from .arch import ShapeError
    from .comparison import Comparison, compare
    from .difference import Diff, diff
    from .edits import cut
    from .pytorch.checkpoints import load_checkpoint
    from .registry import (
        Paper,
        Pinned,
        UnknownModelError,
        get_builder,
        get_model_builder,
        is_model,
        list_models,
        model_entrypoint,
        register,
    )
    from .report import Report, Row
    from .weights.headers import CheckpointError
    from .weights.published import get_weight

__version__ = "0.1.0"

_HOMES = {
    "CheckpointError": "weights.headers",
    "Comparison": "comparison",
    "Diff": "difference",
    "Figures": "registry",  # of old: `Pinned`
    "Paper": "registry",
    "Pinned": "registry",
    "Report": "report",
    "Row": "report",
    "ShapeError": "arch",
    "UnknownModelError": "registry",
    "compare": "comparison",
    "create_model": "api",
    "cut": "edits",
    "describe": "api",
    "diff": "difference",
    "get_builder": "registry",
    "get_model": "api",
    "get_model_builder": "registry",
    "get_weight": "weights.published",
    "is_model": "registry",
    "list_models": "registry",
    "load_checkpoint": "pytorch.checkpoints",
    "model_entrypoint": "registry",
    "register": "registry",
    "summary": "api",
}

__all__ = [
    "CheckpointError",
    "Comparison",
    "Diff",
    "Paper",
    "Pinned",
    "Report",
    "Row",
    "ShapeError",
    "UnknownModelError",
    "compare",
    "create_model",
    "cut",
    "describe",
    "diff",
    "get_builder",
    "get_model",
    "get_model_builder",
    "get_weight",
    "is_model",
    "list_models",
    "load_checkpoint",
    "model_entrypoint",
    "register",
    "summary",
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
