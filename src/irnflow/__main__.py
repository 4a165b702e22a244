"""`python -m irnflow` is the command `irnflow`."""

from irnflow.cli import main

main()
