"""The register of rewrites: a name, a function from description to description, and the argument it stands for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from inspect import Parameter, signature
from typing import Any

from ..arch import Node, Shape
from ..errors import CnnzooError, InvalidValueError
from ..plugins import PluginError, called, load_plugins
from ..words import hint, quoted, read_literal

PLUGINS = "cnnzoo.rewrites"
"""The entry point group: each entry names a module, or a rewrite in one, that registers rewrites."""


INPUT_SIZE = "input_size"
"""The keyword of a rewrite that is given the network's own input size."""


class UnknownRewriteError(CnnzooError, LookupError, ValueError):
    """A name that is not registered; the message suggests near ones."""


class DoesNotApply(CnnzooError):  # noqa: N818  (no error: it says why there is nothing to do)
    """Raised by a rewrite that finds nothing to change, with the reason."""


class Rewrite:
    """A registered function from description to description; calling it changes nothing where it does not apply."""

    def __init__(self, function: Callable[..., Node], source: str, name: str | None = None) -> None:
        self.function = function
        self.source = source
        """The paper and the place in it of the argument that it stands for."""
        self.name = name or _name(function)
        self.__doc__ = function.__doc__
        self.__wrapped__ = function

    def __call__(self, description: Node, *options: Any, **named: Any) -> Node:
        """The description rewritten; the same object where there is nothing to rewrite."""
        try:
            return self.rewritten(description, *options, **named)
        except DoesNotApply:
            return description

    def rewritten(self, description: Node, *options: Any, **named: Any) -> Node:
        """The description rewritten; `DoesNotApply` where there is nothing to rewrite."""
        with called(self.name, self.function):
            made = self.function(description, *options, **named)
        if not isinstance(made, Node):
            raise PluginError(f"{self.name} gives {type(made).__name__}, no description")
        return made

    def why_not(self, description: Node, *options: Any, **named: Any) -> str | None:
        """Why it does not apply to a description; None where it does."""
        try:
            self.rewritten(description, *options, **named)
        except DoesNotApply as reason:
            return str(reason)
        return None

    @property
    def summary(self) -> str:
        """The first paragraph of its docstring, in one line."""
        return " ".join((self.__doc__ or "").partition("\n\n")[0].split())

    @property
    def option(self) -> Parameter | None:
        """The parameter that the function takes besides the description and the input size; None where it takes no
        other."""
        others = list(signature(self.function).parameters.values())[1:]
        return next((one for one in others if one.name != INPUT_SIZE), None)

    def __reduce__(self) -> tuple[Callable[[str], Rewrite], tuple[str]]:
        return get_rewrite, (self.name,)  # copied and pickled by its name, as a function is

    def __repr__(self) -> str:
        return f"<cnnzoo rewrite {self.name}: {self.source}>"


_rewrites: dict[str, Rewrite] = {}


def register_rewrite(source: str) -> Callable[[Callable[..., Node]], Rewrite]:
    """Register a function under its own name. It takes a description, and at most one option; it returns another
    description, or raises `DoesNotApply` with the reason. One that has a keyword `input_size` is given the network's
    own (channels, height, width), where that is known. Raises ValueError where the name is taken."""

    def enrol(function: Callable[..., Node]) -> Rewrite:
        name = _name(function)
        if name in _rewrites:
            raise InvalidValueError(
                f"rewrite {name!r} is already registered; {function.__module__} must give its own another"
            )
        _rewrites[name] = Rewrite(function, source)
        return _rewrites[name]

    return enrol


def list_rewrites() -> list[str]:
    """The names of all registered rewrites, those of plugins too, sorted."""
    load_plugins(PLUGINS)
    return sorted(_rewrites)


def registered() -> list[Rewrite]:
    """The rewrites, in the order of their names; one that needs an option is without it."""
    return [_rewrites[name] for name in list_rewrites()]


def get_rewrite(text: str, input_size: Shape | None = None) -> Rewrite:
    """The rewrite of a name, with its option where it takes one: "drop_reductions", "scale_width=0.5".

    `input_size` is that of the networks that it is for: what their paper trained, or a module was run with. Raises
    `UnknownRewriteError`, with what may have been meant, and ValueError for an option that is missing or not taken.
    """
    load_plugins(PLUGINS)
    name, given, value = text.partition("=")
    if name not in _rewrites:
        raise UnknownRewriteError(_unknown(name))
    rewrite = _rewrites[name]
    option = rewrite.option
    options: dict[str, Any] = {}
    if given and option is None:
        raise InvalidValueError(f"{name} takes no option, got {text!r}")
    if option is not None and given:
        options[option.name] = read_literal(value)
    elif option is not None and option.default is Parameter.empty:
        raise InvalidValueError(f"{name} needs its {option.name}: {name}=…")
    if input_size and INPUT_SIZE in signature(rewrite.function).parameters:
        options[INPUT_SIZE] = input_size
    if not options:
        return rewrite
    chosen = Rewrite(partial(rewrite.function, **options), rewrite.source, text)
    chosen.__doc__ = rewrite.__doc__
    return chosen


def apply(description: Node, names: Iterable[str], input_size: Shape | None = None) -> tuple[Node, tuple[str, ...]]:
    """The description under each rewrite in turn, and a sentence of each: its source, or why it does not apply."""
    remarks = []
    for rewrite in (get_rewrite(name, input_size) for name in names):
        try:
            description = rewrite.rewritten(description)
            remarks.append(f"{rewrite.name}: {rewrite.source}")
        except DoesNotApply as reason:
            remarks.append(f"{rewrite.name} does not apply: {reason}")
    return description, tuple(remarks)


def _name(function: Callable[..., Node]) -> str:
    return str(getattr(function, "__name__", function))


def _unknown(name: str) -> str:
    return f"unknown rewrite {quoted(name)}; {hint(name, sorted(_rewrites))}"
