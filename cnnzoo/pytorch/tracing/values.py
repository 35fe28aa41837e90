"""The tensors of a run: which value of the network each one is, and which are the network's own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor, nn

from ...arch import Shape
from ..measuring.tree import own_tensors, submodules
from .events import TracingError
from .words import NoWordError, Recipe


class Values:
    """Tells tensors apart by identity; values are numbered in the order in which they are made."""

    def __init__(self, root: nn.Module) -> None:
        self.shapes: list[Shape] = []
        """Of each value, without the batch."""
        self.looked: list[tuple[int, Shape]] = []
        """The values whose shapes the network read, the last one last."""
        self._values: dict[int, tuple[int, int]] = {}
        """By the id of a tensor: its value, and the tensor's version when it was made."""
        self._alive: list[Tensor] = []
        """Every tensor that was met, so that no id is given again; they hold no memory on meta."""
        self._stacks: dict[int, list[Tensor]] = {}
        self._zeros: dict[int, int] = {}
        self._own: dict[int, list[str]] = {}
        """The keys of the network's own tensors."""
        self._versions: dict[int, int] = {}
        """Their versions when the run began."""
        self._of_own: dict[int, Tensor] = {}
        """Views of them, and of what is worked out from them."""
        self._recipes: dict[int, tuple[Recipe, int]] = {}
        """How tensors were worked out from the network's own, and their versions then."""
        self._data: set[int] = set()
        """The storages of what `.data` gave: writing there changes no other tensor's version."""
        for one in submodules(root):
            for name, held in own_tensors(one.module).items():
                self._own.setdefault(id(held.tensor), []).append(".".join(filter(None, (one.path, name))))
                self._versions[id(held.tensor)] = held.tensor._version

    def make(self, tensor: Tensor) -> int:
        """A new value, which the tensor is from now on."""
        self.shapes.append(tuple(tensor.shape[1:]))
        self.bind(tensor, len(self.shapes) - 1)
        return len(self.shapes) - 1

    def bind(self, tensor: Tensor, value: int) -> None:
        if tensor.is_inference():
            raise TracingError(
                "it runs in inference mode, where tensors have no versions; torch.no_grad() has the rest"
            )
        self._values[id(tensor)] = value, tensor._version
        self._alive.append(tensor)

    def of(self, tensor: Tensor) -> int | None:
        """The value that a tensor is; None of what does not come from an input."""
        found = self._values.get(id(tensor))
        if found is None:
            return None
        value, version = found
        if version != tensor._version:
            raise NoWordError("a tensor was written over through another that shares its memory")
        return value

    def before(self, tensor: Tensor) -> int | None:
        """The value that a tensor was before something was written to it, if anything was."""
        return self._values.get(id(tensor), (None, 0))[0]

    def is_written(self, tensor: Tensor) -> bool:
        """Whether something was written to a tensor since it was made."""
        return self._values[id(tensor)][1] != tensor._version

    def tensor_of(self, value: int) -> Tensor:
        """The last tensor that is a value."""
        return next(one for one in reversed(self._alive) if self.before(one) == value)

    def look(self, tensor: Tensor) -> None:
        """Note that the network reads a tensor's shape."""
        value = self.of(tensor)
        if value is not None:
            self.looked.append((value, tuple(tensor.shape[2:])))

    def note_data(self, tensor: Tensor) -> None:
        self._data.add(tensor.untyped_storage()._cdata)

    def is_data(self, tensor: Tensor) -> bool:
        """Whether other tensors may not tell that this one was written over."""
        return bool(self._data) and tensor.untyped_storage()._cdata in self._data

    def stack(self, tensor: Tensor, parts: Sequence[Tensor]) -> None:
        """Note a tensor that has values along a new first dimension: it is no value of samples itself."""
        self._stacks[id(tensor)] = [*parts]
        self._alive.append(tensor)

    def parts(self, tensor: Any) -> list[Tensor]:
        """The values that were stacked in a tensor; none of other tensors, and of what is none."""
        found = self._stacks.get(id(tensor), [])
        for one in found:
            self.of(one)  # raises for one that was written over since
        return found

    def note_zeros(self, tensor: Tensor) -> None:
        self._zeros[id(tensor)] = tensor._version
        self._alive.append(tensor)

    def is_zeros(self, tensor: Tensor) -> bool:
        """Whether it was made of zeros, and nothing was written to it since."""
        return self._zeros.get(id(tensor)) == tensor._version

    def keep(self, tensors: Sequence[Tensor]) -> None:
        self._alive += tensors

    # The network's own

    def keys(self, tensor: Tensor) -> list[str] | None:
        """The names in the network of a tensor of its own; None of any other, and of one that was written over."""
        return self._own.get(id(tensor)) if self._versions.get(id(tensor)) == tensor._version else None

    def has_its_own(self, module: nn.Module, path: str) -> bool:
        """Whether the tensors of the module at a path are those that it had when the run began."""
        own = own_tensors(module)
        return all(".".join(filter(None, (path, name))) in (self.keys(own[name].tensor) or ()) for name in own)

    def own(self, tensor: Tensor) -> Tensor:
        """The tensor of the network's own that a tensor is a view of, or else itself."""
        return self._of_own.get(id(tensor), tensor)

    def note_view(self, view: Tensor, tensor: Tensor) -> None:
        self._of_own[id(view)] = self.own(tensor)

    def note_recipe(self, made: Tensor, recipe: Recipe) -> None:
        self._recipes[id(made)] = recipe, made._version

    def recipe(self, tensor: Tensor) -> Recipe | None:
        """How a tensor, or the one that it is a view of, was worked out from the network's own; None where it was not,
        or was written over since."""
        recipe, version = self._recipes.get(id(self.own(tensor)), (None, -1))
        return recipe if version == self.own(tensor)._version else None
