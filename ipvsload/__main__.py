"""`python -m ipvsload`."""

from ipvsload.cli import main

if __name__ == "__main__":
    main()
