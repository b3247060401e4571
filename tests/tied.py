"""Starts programs that end with the process that started them, even if that is killed.

The starter keeps one end of a pipe open, and the program reads from the other. The kernel closes
the pipe when the starter ends, however that happens; then the program interrupts itself.
"""

import os
import runpy
import signal
import subprocess
import sys
import threading
import time
from typing import Any

ENDS_WITHIN_S = 30


def start(program: str, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    """Start a Python program, a module or a .py file; options are those of subprocess.Popen."""
    theirs, _ = os.pipe()  # our end is closed only by the end of this process
    try:
        return subprocess.Popen(
            [sys.executable, "-P", __file__, str(theirs), program, *arguments],
            pass_fds=[theirs],
            text=True,
            **options,
        )
    finally:
        os.close(theirs)


def _run(pipe: int, program: str) -> None:
    """Run the program until it ends or the pipe is closed."""
    os.set_inheritable(pipe, False)
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()
    if program.endswith(".py"):
        runpy.run_path(program, run_name="__main__")
    else:
        runpy.run_module(program, run_name="__main__", alter_sys=True)


def _end_with(pipe: int) -> None:
    os.read(pipe, 1)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(ENDS_WITHIN_S)
    os._exit(1)


if __name__ == "__main__":
    _, _pipe, _program, *_arguments = sys.argv
    sys.argv = [_program, *_arguments]
    _run(int(_pipe), _program)
