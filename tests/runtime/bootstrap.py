"""Starts a function as Lambda's python3.13 does, with the codecs of AWS's layer for pandas.

    python -P bootstrap.py FILE HANDLER

Runs AWS's runtime client for the handler. FILE gets the number of this process, which the emulator
starts and ends as it likes. Run by its path, since nothing of the repository is on its own.
"""

import os
import sys
from pathlib import Path
from runpy import run_path

LAYER_CODECS = Path(__file__).parents[2] / "local" / "layer_codecs.py"


def main(file: str, handler: str) -> None:
    """Serve events until whoever hands them out is gone."""
    run_path(str(LAYER_CODECS))["install"]()
    Path(file).write_text(str(os.getpid()), "utf-8")
    from awslambdaric.__main__ import main as serve

    serve(["awslambdaric", handler])


if __name__ == "__main__":
    main(*sys.argv[1:])
