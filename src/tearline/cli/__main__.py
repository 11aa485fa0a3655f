"""`python -m tearline.cli` is `tearline`."""

from tearline.cli import main

main()
