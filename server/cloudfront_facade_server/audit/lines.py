"""Whole lines on an output that may write only a part of them."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from .files import Output


class LinesNotWrittenError(Exception):
    """Lines could not be written, or not safely. The message is the problem.

    Attributes:
        touched: Number of the first lines that reached the output at least in part.
    """

    def __init__(self, problem: str, touched: int) -> None:
        super().__init__(problem)
        self.touched = touched


class LineOutput:
    """Writes lines to an output. A line that was written in part is completed before the next one.

    Args:
        output: The output.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._rest = memoryview(b"")
        self._must_reopen = False

    @property
    def has_rest(self) -> bool:
        """Whether the last line was written only in part."""
        return bool(self._rest)

    def reopen(self) -> None:
        """Opens the output again before the next line. It can be called in any thread."""
        self._must_reopen = True

    def write(self, lines: Sequence[bytes]) -> None:
        """Writes lines, and returns when they are safe.

        Raises:
            LinesNotWrittenError: Not all were written, or it is unknown whether they are safe.
        """
        content = memoryview(b"".join(lines))
        written = 0
        try:
            if self._must_reopen:
                self._reopen()
            self._complete()
            if not lines:
                return
            self._output.prepare(len(content))
            while written < len(content):
                written += self._output.write(content[written:])
            self._output.sync()
        except OSError as error:
            touched, end = _touched(lines, written)
            self._rest = content[written:end] if touched else self._rest
            raise LinesNotWrittenError((error.strerror or str(error)).lower(), touched) from None

    def close(self) -> None:
        """Closes the output."""
        self._output.close()

    def _reopen(self) -> None:
        # If the rest of a line cannot be written, the old file ends with a part of it. It must not begin the new one.
        with suppress(OSError):
            self._complete()
        self._rest = memoryview(b"")
        self._output.reopen()
        self._must_reopen = False

    def _complete(self) -> None:
        while self._rest:
            self._rest = self._rest[self._output.write(self._rest) :]


def _touched(lines: Sequence[bytes], written: int) -> tuple[int, int]:
    """Returns how many lines a number of bytes reaches into, and where the last of them ends."""
    end = 0
    for number, line in enumerate(lines):
        if end >= written:
            return number, end
        end += len(line)
    return len(lines), end
