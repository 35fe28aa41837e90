"""The site: the pages of this directory and the docstrings of the package, by Sphinx."""

import re
import sys
from importlib.util import find_spec
from pathlib import Path

import cnnzoo

HERE = Path(__file__).parent
sys.path += [str(HERE / "_ext"), str(HERE.parent / "tests")]  # a page is a session, tests/pages.py, or a notebook

project = "cnnzoo"
release = version = cnnzoo.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "notebooks"]
exclude_patterns = ["_build"]

myst_heading_anchors = 3
default_role = "code"  # what a docstring has in backticks

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_preserve_defaults = True
autodoc_mock_imports = [name for name in ("torch", "torchinfo") if find_spec(name) is None]

smartquotes = False  # --all is no dash

html_theme = "furo"
html_title = "cnnzoo"
html_favicon = "_static/icon.svg"
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("sort.js", {"defer": ""})]


def as_written(app, what, name, obj, options, lines):
    """In a docstring only backticks have a meaning; reStructuredText would find one in `(N, *shape)` and `1 x_`."""
    for number, line in enumerate(lines):
        parts = line.split("`")
        parts[::2] = [re.sub(r"[*|]|_(?!\w)", r"\\\g<0>", part) for part in parts[::2]]
        lines[number] = "`".join(parts)


def setup(app):
    app.connect("autodoc-process-docstring", as_written)
