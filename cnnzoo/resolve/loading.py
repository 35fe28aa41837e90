"""What a TARGET on the command line means: a registered name, or where to find a network that is none of ours.

`pkg.mod:factory` and `path/to/file.py:factory` name a function (or class) that returns a network, or the
network itself; `timm:name` and `torchvision:name` a network of theirs, without weights.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from functools import partial
from importlib import import_module
from inspect import signature
from typing import TYPE_CHECKING, Any, TypeAlias

from ..arch.node import Node
from ..arch.signal import Shape
from ..errors import CnnzooError
from ..registry import Builder, Paper, Pinned
from ..words import REPEATED, hint, listed, quoted, shortened
from ..zoo import get_builder

if TYPE_CHECKING:
    from types import ModuleType

    from torch import nn


Make: TypeAlias = "Callable[[], nn.Module | Node]"


class TargetError(CnnzooError, ValueError):
    """A target that cannot be found or made; the message is one line."""


def is_registered(target: str) -> bool:
    """Whether a target is the name of a registered network, known or not; all others have a colon."""
    return ":" not in target


def split(target: str) -> tuple[str, tuple[str, ...]]:
    """A target, and the rewrites that it has behind plus signs."""
    place, colon, name = target.rpartition(":")
    first, *rewrites = name.split("+")
    return f"{place}{colon}{first}", tuple(rewrites)


def located(target: str) -> Any:
    """The object that a target names: a registered builder, a function that makes a network, or a network.

    Raises `UnknownModelError` for an unknown name, `TargetError` for what is not where it is said to be.
    """
    if is_registered(target):
        _check_no_file(target)
        return get_builder(target)
    place, _, name = target.rpartition(":")
    if not place or not name:
        raise TargetError(f"{target!r} names no network: say pkg.mod:factory, path/to/file.py:factory or timm:name")
    return _of_library(place, name) if place in LIBRARIES else _look_up(place, name)


def find(target: str, settings: Mapping[str, Any]) -> Builder[Any] | Make:
    """A registered builder, or what makes the network; `settings` are the factory's. Raises what `located` does."""
    found = located(target)
    if isinstance(found, Builder):
        return found
    if callable(found) and not _is_network(found):
        return partial(_made, target, found, settings)
    if settings:
        raise TargetError(f"{target} is no function: it takes no {', '.join(settings)}")
    return partial(_checked, target, found)


def builder_of(place: str) -> Builder[Any]:
    """What describes a target with any settings: a registered builder, or one of what is found elsewhere, which has
    neither knobs nor an input size (that is ()) of its own."""
    with redirect_stdout(sys.stderr):
        found = located(place)
    if isinstance(found, Builder):
        return found
    if _is_network(found) or not callable(found):
        return Constant(place, found)
    return Elsewhere(place, found)


class Elsewhere(Builder[Any]):
    """The builder of what a function gives that is found elsewhere: a description, or a module."""

    def __init__(self, place: str, function: Callable[..., Any]) -> None:
        named: Any = partial(function)  # a callable may have no name
        named.__name__ = place.rpartition(":")[2]
        super().__init__(named, Paper("", "", 0), Pinned(0, 0, 0), (), {})
        self.place = place

    def made(self, settings: Mapping[str, Any]) -> nn.Module | Node:
        """The network with these settings, a module on meta where it can be made there. Raises `TargetError`."""
        with redirect_stdout(sys.stderr):
            return make(partial(_made, self.place, self._function, settings))


class Constant(Elsewhere):
    """The builder of a network that is one already."""

    def __init__(self, place: str, network: Any) -> None:
        def constant() -> Any:
            return network

        super().__init__(place, constant)


def make(factory: Make, values: bool = False) -> nn.Module | Node:
    """The network: on meta where it can be made there, unless its `values` are needed."""
    from ..pytorch.measuring.measure import META

    if not values:
        try:
            with META:
                return factory()
        except TargetError as error:
            if "meta" not in str(error):
                raise
            # as some fail that look at their own values
    return factory()


def own_size(place: str, module: nn.Module) -> Shape | None:
    """The input size that a module says it has, as timm's do, or that its library's networks have; None where nothing
    says it."""
    config = getattr(module, "pretrained_cfg", None) or getattr(module, "default_cfg", None) or {}
    size = config.get("input_size") if isinstance(config, Mapping) else None
    return tuple(size) if size else (3, 224, 224) if place.startswith("torchvision:") else None


def _look_up(place: str, name: str) -> Any:
    module = _from_file(place) if place.endswith(".py") else _imported(place)
    found: Any = module
    for part in name.split("."):
        if not hasattr(found, part):
            raise TargetError(f"{place} has no {quoted(name)}{_meant(part, dir(found))}")
        found = getattr(found, part)
    return found


def _check_no_file(name: str) -> None:
    """TargetError, with what to write, for a file's name without what is meant in it."""
    ending = os.path.splitext(name)[1].lower()
    if ending == ".py":
        shown = shortened(name, REPEATED)
        named = listed([f"{shown}:{one}" for one in names_in(name)]) or f"{shown}:NAME"
        raise TargetError(f"{quoted(name)} is a file: say which network in it, as {named}")
    if ending in WEIGHTS:
        raise TargetError(
            f"{quoted(name)} is a file of weights, which does not say how its layers are joined: "
            f"`cnnzoo check-weights {shortened(name, REPEATED)}` says which network they fit"
        )


def names_in(file: str) -> list[str]:
    """The public functions, classes and values of a file of Python, which is read and not run."""
    import ast

    names = list[str]()
    try:
        with open(file, "rb") as stream:
            statements = ast.parse(stream.read()).body
        for statement in statements:
            if isinstance(statement, ast.FunctionDef | ast.ClassDef):
                names.append(statement.name)
            elif isinstance(statement, ast.Assign):
                names += [one.id for one in statement.targets if isinstance(one, ast.Name)]
    except (OSError, ValueError, SyntaxError, MemoryError, RecursionError):
        pass  # what is wrong with it is said when it is run
    return [name for name in names if not name.startswith("_")]


def _meant(name: str, names: Iterable[str]) -> str:
    meant = hint(name, names, otherwise="", most=1)
    return f"; {meant}" if meant else ""


def _of_library(place: str, name: str) -> Callable[..., Any]:
    """What makes a network of `LIBRARIES`, without weights; timm's names may have a tag of some behind a point."""
    module, function, without_weights = LIBRARIES[place]
    library: Any = _imported(module)
    names = library.list_models()
    if name.partition(".")[0].lower() not in names:
        raise TargetError(f"{place} has no network {quoted(name)}{_meant(name, names)}")
    if place == "torchvision" and BACKBONE in signature(library.get_model_builder(name)).parameters:
        without_weights = without_weights | {BACKBONE: None}  # else those of its trunk are downloaded
    return partial(getattr(library, function), name, **without_weights)


def _imported(name: str) -> ModuleType:
    """A module by name, of the working directory too."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        package = name.partition(".")[0]
        advice = f"; pip install {package}" if package in LIBRARIES and error.name == package else ""
        raise TargetError(f"cannot import {name!r}: {error}{advice}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        advice = "; torchvision is not of the same build as torch: install both anew, from one index"
        raise TargetError(
            f"cannot import {name!r}: {_line(error)}{advice * ('torchvision::' in str(error))}"
        ) from error


def _from_file(place: str) -> ModuleType:
    from importlib.util import module_from_spec, spec_from_file_location

    if not os.path.isfile(place):  # which a name that is too long is not
        raise TargetError(f"there is no file {quoted(place)}")
    folder, file = os.path.split(place)
    stem = os.path.splitext(file)[0]
    for name in ("torch", "numpy"):
        shadow = os.path.join(folder, f"{name}.py")
        if os.path.exists(shadow):
            raise TargetError(f"{quoted(shadow)} would be taken for {name} by all that imports it: rename that file")
    spec = spec_from_file_location(stem, place)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules.setdefault(stem, module)
    sys.path.insert(0, os.path.realpath(folder))
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TargetError(f"cannot run {place}: {_line(error)}") from error
    return module


def _made(target: str, function: Callable[..., Any], settings: Mapping[str, Any]) -> nn.Module | Node:
    try:
        made = function(**settings)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise TargetError(f"{target} fails: {_line(error)}{_left_out(function, settings)}") from error
    return _checked(target, made)


def _left_out(function: Callable[..., Any], settings: Mapping[str, Any]) -> str:
    """How to give the arguments that a function needs and was not given."""
    try:
        arguments = signature(function).parameters.values()
    except (TypeError, ValueError):  # of what is written in C
        return ""
    named = (one for one in arguments if one.kind in (one.POSITIONAL_OR_KEYWORD, one.KEYWORD_ONLY))
    missing = [one.name for one in named if one.default is one.empty and one.name not in settings]
    return f"; give {listed([f'--arg {name}=VALUE' for name in missing])}" if missing else ""


def _checked(target: str, made: Any) -> nn.Module | Node:
    if not _is_network(made):
        raise TargetError(f"{target} gives {type(made).__name__}, neither a torch.nn.Module nor a description")
    return made  # type: ignore[no-any-return]


def _is_network(value: Any) -> bool:
    torch = sys.modules.get("torch")
    return isinstance(value, Node) or (torch is not None and isinstance(value, torch.nn.Module))


def _line(error: BaseException) -> str:
    """An exception in a line."""
    return f"{type(error).__name__}: {next(iter(str(error).splitlines()), '')}"


WEIGHTS = (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".pkl")
"""How files of weights are called."""

LIBRARIES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "timm": ("timm", "create_model", {"pretrained": False}),
    "torchvision": ("torchvision.models", "get_model", {"weights": None}),
}
"""Prefixes that are no modules: the module, its function that makes a network, and how to have no weights."""

BACKBONE = "weights_backbone"
"""What torchvision's networks for segmentation and detection call the weights of their trunk."""
