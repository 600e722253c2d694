"""Work that runs ahead of who asks for it, by threads, in order and within bounds; what it is, is not known here."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

_WORKERS = 2
_ASKED_AGAIN_S = 0.2
_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


class Ahead(Generic[_Item]):
    """The same items, begun to be made at once by a thread of its own, at most `most` before they are asked for.

    What the items raise is raised to who asks for the next; who asks for no more must `close`.
    """

    def __init__(self, items: Iterable[_Item], most: int = 1) -> None:
        self._ready: queue.Queue[_Item | BaseException | None] = queue.Queue(maxsize=most)
        self._is_closed = threading.Event()
        self._worker = threading.Thread(target=self._work, args=(items,), daemon=True)
        self._worker.start()

    def __iter__(self) -> Iterator[_Item]:
        while (item := self._ready.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item

    def keep(self, most: int) -> None:
        """Let at most so many be ready from now on; those that are stay."""
        with self._ready.mutex:
            self._ready.maxsize = most

    def close(self) -> None:
        """End the work; an item that is being made is made first."""
        self._is_closed.set()
        self._worker.join()

    def _work(self, items: Iterable[_Item]) -> None:
        try:
            for item in items:
                if not self._put(item):
                    return
            self._put(None)
        except BaseException as error:
            self._put(error)

    def _put(self, item: _Item | BaseException | None) -> bool:
        while not self._is_closed.is_set():
            try:
                self._ready.put(item, timeout=_ASKED_AGAIN_S)
            except queue.Full:
                continue
            return True
        return False


def at_once(work: Callable[[_Item], _Made], items: Iterable[_Item]) -> Iterator[_Made]:
    """What `work` makes of each item, in order, of several items at once."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        waiting: deque[Future[_Made]] = deque()
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) >= _WORKERS:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
