"""``python -m hub`` is the same as ``roomwise``."""

from hub.cli.main import main

main()
