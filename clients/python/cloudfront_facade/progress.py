"""A progress bar for imports. It needs the package rich: `pip install 'cloudfront-facade[progress]'`."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Progress", "bar"]

Progress = Callable[[int, int | None], None]
"""Called with the number of changes that were handed to gRPC, and their total, or None if it is not known."""


@contextmanager
def bar(description: str = "Importing keys", *, console: Console | None = None) -> Iterator[Progress]:
    """Shows a bar on standard error until the end of the `with`, and yields the callback that moves it.

    Args:
        description: The text in front of the bar.
        console: Where to show the bar instead.

    Raises:
        ModuleNotFoundError: rich is not installed.

    Example:
        with bar() as progress:
            put_many(facade.key_values, arn, items, progress=progress)
    """
    try:
        from rich import progress as rich_progress
        from rich.console import Console
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a progress bar needs the package rich: pip install 'cloudfront-facade[progress]'", name=error.name
        ) from None
    display = rich_progress.Progress(
        rich_progress.TextColumn("{task.description}"),
        rich_progress.BarColumn(),
        rich_progress.MofNCompleteColumn(),
        rich_progress.TimeElapsedColumn(),
        console=console or Console(stderr=True),
    )
    with display:
        task = display.add_task(description, total=None)
        yield lambda sent, total: display.update(task, completed=sent, total=total)
