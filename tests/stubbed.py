"""`python -m stubbed …` is `cnnzoo …` beside a torchvision whose compiled operators do not load."""

from libraries import stub_torchvision

from cnnzoo.cli import main

stub_torchvision()
main()
