"""`python -m twin` is the command `twin`."""

from twin.cli import main

main()
