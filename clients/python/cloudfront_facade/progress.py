"""A progress bar for jobs that take long. It needs the package rich: `pip install 'cloudfront-facade[progress]'`."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

    from cloudfront_facade._helpers_sansio import Progress


@contextmanager
def bar(description: str = "Importing keys", *, console: Console | None = None) -> Iterator[Progress]:
    """Shows a bar, on the terminal's standard error, until the end of the `with`; gives the callback that moves it.

    Args:
        description: What is going on.
        console: Where to show it instead.

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
