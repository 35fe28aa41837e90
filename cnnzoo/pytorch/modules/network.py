"""A whole network as a module: where in it an input failed, its heads, and what timm's models can be asked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from ...errors import InvalidValueError
from .forwards import Aux, Join, ModuleList, Sequential
from .written import CALL, Line, Program, Written, outputs, written


class Ends(NamedTuple):
    """Where a network's features end and its classifier stands."""

    head: str
    """The path of the first module behind the last maps: a pooling, a flattening, or the classifier."""
    classifier: str
    maps: bool
    """Whether the classifier reads maps, so that it is a convolution."""


class NoEndsError(InvalidValueError, AttributeError):
    """A network that does not end in a classifier was asked for what stands at its ends. As an AttributeError it makes
    a property one that is not there, for `hasattr` and for `torch.jit.script`, which reads them all."""


class Checkpointing(nn.Module):
    """What can be asked to keep less for the backward pass."""

    def set_grad_checkpointing(self, enable: bool = True) -> None:
        """Whether each block's activations are worked out again in the backward pass, not kept: less memory, one more
        forward pass. As in timm, batch norms then see each batch twice. ValueError where there are no blocks."""
        blocks = [module for module in _outermost(self) if isinstance(module, Join)]
        if enable and not blocks:
            raise InvalidValueError(
                "set_grad_checkpointing: the network has no blocks whose activations could be left out"
            )
        for block in blocks:
            block.checkpointed = enable


TOLD = ("program", "outputs", "feature_info", "pretrained_cfg", "default_cfg")
"""What a network says of itself, none of which its forward reads."""


class Located(Written):
    """A whole network: it says where in it an input failed, and may have auxiliary heads.

    In training, a network with heads returns a named tuple of the logits and each head's output by the head's name, in
    eval mode the logits alone. A head set to None is left out. `outputs` are other names of these fields by head, in
    their order. `torch.jit.script` has a tuple in both modes, by the heads' own names, with None in eval mode.
    """

    __jit_ignored_attributes__: Sequence[str] = TOLD

    outputs: Mapping[str, str] | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        try:
            return super().__call__(*args, **kwargs)
        except Exception as error:
            _locate(error, self, args)
            raise

    def headed(self, y: Tensor, read: Mapping[str, Tensor]) -> Any:
        """What is returned where `read` is what each head reads."""
        heads = {name: self._modules.get(name) for name in read}
        found = {name: head(read[name]) for name, head in heads.items() if head is not None and self.training}
        if not found:
            return y
        fields = {name: name for name in found} if self.outputs is None else self.outputs
        order = [name for name in fields if name in found]
        return outputs(*(fields[name] for name in order))(y, *(found[name] for name in order))


class Ended(Located):
    """A whole network with the methods of timm's models that ask for its classifier.

    These go by the path that the classifier had when it was built, so what is assigned there anew counts. A network
    that does not end in a classifier has none of them.
    """

    __jit_unused_properties__ = ("num_classes",)
    __jit_ignored_attributes__ = (*TOLD, "ends", "num_features", "head_hidden_size")

    ends: Ends | None = None
    feature_info: Any
    num_features: int
    """Channels of the last maps."""
    head_hidden_size: int
    """Features that the classifier reads."""

    def _ends(self) -> Ends:
        if self.ends is None:
            raise NoEndsError("this is no whole network that ends in a classifier")
        return self.ends

    def get_classifier(self) -> nn.Module:
        """The last layer with weights; an Identity where it was left out."""
        return self.get_submodule(self._ends().classifier)

    @property
    def num_classes(self) -> int:
        """Outputs of the classifier; 0 where it was left out."""
        last: Any = self.get_classifier()
        return int(getattr(last, "out_features", getattr(last, "out_channels", 0)))

    def reset_classifier(self, num_classes: int, global_pool: str | None = None) -> None:
        """Another classifier, with torch's first weights: a linear layer, or a 1x1 convolution where it reads maps;
        an Identity for 0 classes. The pooling before it is a layer of its own: assign another for `global_pool`."""
        if global_pool not in (None, "avg"):
            raise InvalidValueError(
                f"global_pool={global_pool!r}: the pooling is a layer of its own; assign another there"
            )
        if type(num_classes) is not int or num_classes < 0:
            raise InvalidValueError(f"num_classes must be a whole number, 0 for no classifier, got {num_classes!r}")
        own = next(self.parameters(), torch.empty(0))
        where: dict[str, Any] = {"device": own.device, "dtype": own.dtype}
        new: nn.Module = nn.Identity()
        if num_classes:
            size = self.head_hidden_size, num_classes
            new = nn.Conv2d(*size, 1, **where) if self._ends().maps else nn.Linear(*size, **where)
        self.set_submodule(self._ends().classifier, new)

    def forward_features(self, x: Tensor) -> Tensor:
        """The last maps, (N, num_features, H, W), before they are pooled or flattened."""
        raise InvalidValueError(APART)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The logits of the last maps; with `pre_logits` what the classifier would read."""
        raise InvalidValueError(APART)


APART = (
    "the network's steps read by name, so features and head do not run one after the other; cut(description, path) is "
    "the network up to a path"
)


class Stepped(Ended, Sequential, Checkpointing):
    """A whole network that is no chain."""


class Network(Ended, nn.Sequential, Checkpointing):
    """A whole network that is a chain, with the methods of timm's models.

    These go by the paths that the last maps and the classifier had when it was built, so what is added otherwise does
    not run. A slice, too, has none of them.
    """

    def rewrite(self, idle: Set[nn.Module] = frozenset()) -> Network:
        """Have it run the children that it has now, in their order, but those of `idle`."""
        lines: list[Line] = []
        heads: list[tuple[str, str]] = []
        variables: dict[str, str] = {}
        x = "x0"
        for name, child in self._modules.items():
            if child in idle:
                continue
            if isinstance(child, Aux):
                heads.append((name, variables[child.source]))
                continue
            made = f"x{len(lines) + 1}"
            lines.append(Line((made,), CALL, (x,), name))
            x = variables[name] = made
        self.__class__ = written(Network, Program(1, tuple(lines), (x,), tuple(heads)))
        return self

    def _idle(self) -> Set[nn.Module]:
        """Children that were assigned to it, and that it does not run."""
        runs = {*(line.child for line in self.program.lines), *dict(self.program.heads)}
        return {child for name, child in self._modules.items() if child is not None and name not in runs}

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice):
            return Network(OrderedDict(list(self._modules.items())[index])).rewrite(self._idle())
        return super().__getitem__(index)

    def append(self, module: nn.Module) -> Network:
        idle = self._idle()
        super().append(module)
        return self.rewrite(idle)

    def insert(self, index: int, module: nn.Module) -> Network:
        idle = self._idle()
        super().insert(index, module)
        return self.rewrite(idle)

    def __delitem__(self, index: int | slice) -> None:
        idle = self._idle()
        super().__delitem__(index)
        self.rewrite(idle)

    def __iadd__(self, other: nn.Sequential) -> Network:  # type: ignore[misc]  # `+` is an nn.Sequential, as in torch
        idle = self._idle()
        super().__iadd__(other)
        return self.rewrite(idle)

    def __imul__(self, count: int) -> Network:
        idle = self._idle()
        super().__imul__(count)
        return self.rewrite(idle)

    def _steps(self) -> list[tuple[str, nn.Module]]:
        """What runs one after the other at inference, with its path; a Sequential around an end is gone into."""
        head, classifier, _ = self._ends()
        idle = self._idle()

        def steps(of: nn.Module, before: str) -> Iterator[tuple[str, nn.Module]]:
            for name, child in of._modules.items():
                path = before + name
                around = any(end.startswith(path + ".") for end in (head, classifier))
                if around and isinstance(child, nn.Sequential):
                    yield from steps(child, path + ".")
                elif around and isinstance(child, Sequential):
                    raise InvalidValueError(f"at {path}: {APART}")
                elif child is not None and child not in idle and not isinstance(child, Aux):
                    yield path, child

        return list(steps(self, ""))

    def _between(self, x: Tensor, first: str | None, stop: str | None) -> Tensor:
        """x through the steps from one path, by default the first, up to and without another."""
        steps = self._steps()
        paths = [path for path, _ in steps]
        for end in (first, stop):
            if end is not None and end not in paths:
                raise InvalidValueError(f"the network has no {end} any more")
        start = 0 if first is None else paths.index(first)
        for _, module in steps[start : len(paths) if stop is None else paths.index(stop)]:
            x = module(x)
        return x

    def forward_features(self, x: Tensor) -> Tensor:
        """The last maps, (N, num_features, H, W), before they are pooled or flattened."""
        return self._between(x, None, self._ends().head)

    def forward_head(self, x: Tensor, pre_logits: bool = False) -> Tensor:
        """The logits of the last maps; with `pre_logits` what the classifier would read. No auxiliary head runs."""
        return self._between(x, self._ends().head, self._ends().classifier if pre_logits else None)


def _outermost(net: nn.Module) -> Iterator[nn.Module]:
    """The modules in nested Sequentials and lists, in order."""
    for child in net.children():
        if isinstance(child, nn.Sequential | ModuleList):
            yield from _outermost(child)
        else:
            yield child


def _locate(error: Exception, net: nn.Module, args: tuple[Any, ...]) -> None:
    """Note on the error the innermost module of the network that was at work, and what the network was given."""
    paths = {id(module): name for name, module in net.named_modules()}
    path, frame = "", error.__traceback__
    while frame is not None:
        path = paths.get(id(frame.tb_frame.f_locals.get("self")), path)
        frame = frame.tb_next
    given = ", ".join(str(tuple(one.shape)) for one in args if isinstance(one, Tensor))
    error.add_note(f"at {path} ({type(net.get_submodule(path)).__name__}) of a network that was given {given}")
