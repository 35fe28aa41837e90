"""The packages of pyproject's extras: whether they are installed, and the error that says how to install them."""

from __future__ import annotations

from importlib.util import find_spec

from .errors import CnnzooError

DISTRIBUTIONS = {"ignite": "pytorch-ignite", "sklearn": "scikit-learn", "PIL": "pillow"}
"""What pip calls the packages that are imported under another name."""


class NotInstalledError(CnnzooError, ImportError):
    """A package of an extra is not installed."""


def need(what: str, extra: str, *packages: str, instead: str = "") -> None:
    """`NotInstalledError` where one of these packages, by the names they are imported under, is not installed.

    `what` is it that needs them, `extra` the extra that has them, and `instead` what can be had without.
    """
    missing = [DISTRIBUTIONS.get(package, package) for package in packages if find_spec(package) is None]
    if missing:
        names = " and ".join(missing)
        raise NotInstalledError(f"{names} must be installed for {what}: pip install 'cnnzoo[{extra}]'{instead}")
