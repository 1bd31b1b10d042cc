"""`python -m oddframe` is the command line."""

import sys

if not sys.flags.safe_path:
    # `-m` makes the folder in which the user happens to be a place for modules: a queue.py beside the videos would run.
    del sys.path[0]

from oddframe.cli.main import main

if __name__ == "__main__":
    main()
