"""A progress bar for imports. It needs the package rich. In a checkout: `pip install './clients/python[progress]'`.

Example:
    from cloudfront_facade import connect
    from cloudfront_facade.jobs import put_many, wait_until_ready
    from cloudfront_facade.progress import bar
    from cloudfront_facade.v1.key_value_store_service_pb2 import CreateKeyValueStoreRequest

    with connect("127.0.0.1:50051") as facade:
        facade.key_value_stores.CreateKeyValueStore(CreateKeyValueStoreRequest(name="progress-example"))
        store = wait_until_ready(facade.key_value_stores, "progress-example")
        with bar("Redirects") as progress:
            put_many(facade.key_values, store.arn, {"/old": "/new", "/older": "/new"}, progress=progress)
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.console import Console

__all__ = ["Progress", "bar"]

Progress = Callable[[int, int | None], None]
"""A callback of an import. Its arguments are the number of changes that were handed to gRPC, which is ahead of what is
applied, and the total; None if that is not known."""


@contextmanager
def bar(description: str = "Importing keys", *, console: Console | None = None) -> Iterator[Progress]:
    """Shows a progress bar until the end of the `with`, and yields the callback that updates it.

    Pass the callback to `put_many` or `import_keys` as `progress`. A custom callback does not need rich: it is any
    function with the arguments of `Progress`.

    Args:
        description: The text in front of the bar.
        console: The console of rich that shows the bar; None for standard error.

    Yields:
        The callback. Without a total, the bar shows only the number of changes.

    Raises:
        ModuleNotFoundError: The package rich is not installed.
    """
    try:
        from rich import progress as rich_progress
        from rich.console import Console
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(
            "a progress bar needs the package rich; in a checkout: pip install './clients/python[progress]'",
            name=error.name,
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
