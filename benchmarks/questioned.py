"""A child process that is asked about one damaged file at a time, and may die or hang over it. No knowledge of files.

It says a line when it is ready, then answers each line of JSON with one of JSON. It is started anew when it is gone.
"""

import json
import select
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CRASHES, HANGS = "crashes", "hangs"
_START_LIMIT_S = 120.0
_ROOT = Path(__file__).resolve().parents[1]


class Questioned:
    """The process `python -m MODULE ARGUMENTS`."""

    def __init__(self, module: str, arguments: Sequence[str] = ()) -> None:
        self._command = [sys.executable, "-m", module, *arguments]
        self._process: subprocess.Popen[str] | None = None

    def ask(self, asked: Mapping[str, object], limit_s: float) -> dict[str, int]:
        """What it answers; `crashes` where it died, `hangs` where it took longer than `limit_s`."""
        process = self._started()
        assert process.stdin is not None
        try:
            process.stdin.write(json.dumps(asked) + "\n")
            process.stdin.flush()
        except BrokenPipeError:
            return self._gone(CRASHES)
        said = self._line(process, limit_s)
        if said is None:
            return self._gone(HANGS)
        if not said:
            return self._gone(CRASHES)
        found: dict[str, int] = json.loads(said)
        return found

    def stop(self) -> None:
        """End it, if it lives."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def _started(self) -> subprocess.Popen[str]:
        if self._process is None:
            self._process = subprocess.Popen(
                self._command,
                cwd=_ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            self._line(self._process, _START_LIMIT_S)
        return self._process

    def _gone(self, fault: str) -> dict[str, int]:
        self.stop()
        return {fault: 1}

    @staticmethod
    def _line(process: subprocess.Popen[str], limit_s: float) -> str | None:
        """The next line it says; none where it says nothing in time, an empty one where it is dead."""
        assert process.stdout is not None
        ready, _, _ = select.select([process.stdout], [], [], limit_s)
        return process.stdout.readline() if ready else None
