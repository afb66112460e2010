"""`python -m ionbox` is the command line."""

from __future__ import annotations

from ionbox.cli import main

if __name__ == "__main__":
    main()
