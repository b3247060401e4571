"""`make run`: Pulse with its sample tenant on the embedded stack (sample/run.py), until Ctrl-C."""

import sys

from local.sample.run import main

if __name__ == "__main__":
    sys.exit(main())
