"""`python -m oddframe` is the command line."""

from oddframe.cli.main import main

if __name__ == "__main__":
    main()
