"""`python -m cnnzoo` is the command `cnnzoo`."""

from .cli import main

main()
