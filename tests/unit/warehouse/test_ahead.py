"""Work ahead of who asks: everything comes, in order, no more is made than was allowed, and faults come through."""

import threading
from collections.abc import Iterator
from contextlib import closing

import pytest

from warehouse.ahead import Ahead, at_once


def test_items_come_in_order_and_are_begun_before_they_are_asked_for() -> None:
    begun = threading.Event()

    def items() -> Iterator[int]:
        begun.set()
        yield from range(20)

    with closing(Ahead(items(), 3)) as ahead:
        assert begun.wait(timeout=30)
        assert list(ahead) == list(range(20))


def test_no_more_is_made_than_was_allowed_before_it_is_asked_for() -> None:
    made: list[int] = []
    is_waiting = threading.Event()

    def items() -> Iterator[int]:
        for item in range(20):
            made.append(item)
            if item == 3:
                is_waiting.set()
            yield item

    ahead = Ahead(items(), 3)
    assert is_waiting.wait(timeout=30)
    ahead.close()
    assert made == [0, 1, 2, 3]


def test_what_the_items_raise_comes_after_those_before_it() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("cut")

    with closing(Ahead(items())) as ahead:
        given = iter(ahead)
        assert next(given) == 1
        with pytest.raises(ValueError, match="cut"):
            next(given)


def test_several_are_worked_on_at_once_and_come_in_order() -> None:
    together = threading.Barrier(2)

    def doubled(item: int) -> int:
        together.wait(timeout=30)
        return 2 * item

    assert list(at_once(doubled, range(6))) == [0, 2, 4, 6, 8, 10]
