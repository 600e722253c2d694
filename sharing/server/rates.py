"""Rate limits: a bucket of requests for each caller, filled as time goes by. Of this process alone."""

import threading
import time
from collections import OrderedDict

_CALLERS = 10_000
"""Callers remembered; of more, the one that was quiet longest is forgotten, whose bucket is full again by then."""


class Rates:
    """At most `burst` requests at once, `per_second` of them in the long run, for each caller."""

    def __init__(self, per_second: float, burst: int) -> None:
        self._per_second = per_second
        self._burst = float(burst)
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, caller: str) -> int:
        """Take one request from a caller's bucket; returns 0, or the seconds to wait where it is empty."""
        with self._lock:
            now = time.monotonic()
            held, since = self._buckets.pop(caller, (self._burst, now))
            held = min(self._burst, held + (now - since) * self._per_second)
            is_taken = held >= 1
            self._buckets[caller] = (held - is_taken, now)
            if len(self._buckets) > _CALLERS:
                self._buckets.popitem(last=False)
        return 0 if is_taken else 1 + int((1 - held) / self._per_second)
