"""The registered networks, one paper a file, without torch.

A family is imported when one of its networks is first asked for: `__init__.pyi` says which network is in which.
"""

import sys
from importlib import import_module
from importlib.util import find_spec
from os.path import splitext
from types import ModuleType
from typing import Any

from ..registry import HOMES
from ..words import hint

with open(f"{splitext(__file__)[0]}.pyi", encoding="utf-8") as stub:
    for line in stub:
        if line.startswith("from ."):  # from .vgg import vgg16 as vgg16
            _, family, _, network, *_ = line.split()
            HOMES[network] = f"{__name__}{family}"

__all__ = [*HOMES]


class Models(ModuleType):
    """This package, in which `alexnet` is the network and not the family of that name that importing it puts here."""

    def __setattr__(self, name: str, value: Any) -> None:
        own = isinstance(value, ModuleType) and name in HOMES
        super().__setattr__(name, getattr(value, name) if own else value)


sys.modules[__name__].__class__ = Models


def __getattr__(name: str) -> Any:
    if name in HOMES:
        return getattr(import_module(HOMES[name]), name)
    if not name.startswith("_") and find_spec(f"{__name__}.{name}"):
        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}; {hint(name, __all__)}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
