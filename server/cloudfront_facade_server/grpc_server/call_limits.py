"""The limits of concurrency and of deadlines."""

from __future__ import annotations

from dataclasses import dataclass

from .method_options import MethodOptions


@dataclass(frozen=True)
class CallLimits:
    """Limits of calls.

    Attributes:
        max_concurrent_calls: Maximum number of short calls in flight, and of long polls.
        max_long_running_calls: Maximum number of other long-running calls in flight.
        max_queue_time: How long a call waits for a slot, in seconds.
        default_deadline: Deadline of a call that has none, in seconds.
        max_deadline: Longest deadline honoured, in seconds.
        max_long_running_deadline: Longest deadline honoured for long-running methods, in seconds; also the deadline of
            long polls that have none.
    """

    max_concurrent_calls: int = 1000
    max_long_running_calls: int = 200
    max_queue_time: float = 0.25
    default_deadline: float = 30.0
    max_deadline: float = 60.0
    max_long_running_deadline: float = 1800.0

    def seconds(self, requested: float | None, options: MethodOptions) -> float:
        """Returns how long a call may take, in seconds.

        Args:
            requested: Seconds until the deadline that the caller set; None if it set none.
            options: The options of the method.
        """
        longest = self.max_long_running_deadline if options.long_running else self.max_deadline
        if requested is None:
            return longest if options.long_poll else self.default_deadline
        return min(requested, longest)
