"""Figures of the running server in the text format that Prometheus reads (version 0.0.4). No names of recipients."""

import threading
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Metrics:
    """Requests by route and status, how long they took, bytes of files. Safe for threads."""

    def __init__(self) -> None:
        self._requests: Counter[tuple[str, int]] = Counter()
        self._seconds: dict[str, float] = defaultdict(float)
        self._buckets: dict[str, list[int]] = defaultdict(lambda: [0] * (len(_BOUNDS_S) + 1))
        self._file_bytes = 0
        self._lock = threading.Lock()

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count an answer."""
        with self._lock:
            self._requests[route, status] += 1
            self._seconds[route] += seconds
            self._buckets[route][bisect_left(_BOUNDS_S, seconds)] += 1

    def served(self, size: int) -> None:
        """Count bytes of a file that went out."""
        with self._lock:
            self._file_bytes += size

    def text(self) -> str:
        """All figures."""
        with self._lock:
            return "\n".join(self._lines()) + "\n"

    def _lines(self) -> Iterator[str]:
        yield "# HELP borderlake_sharing_requests_total Answers by route and status."
        yield "# TYPE borderlake_sharing_requests_total counter"
        for (route, status), count in sorted(self._requests.items()):
            yield f'borderlake_sharing_requests_total{{route="{route}",status="{status}"}} {count}'
        yield "# HELP borderlake_sharing_request_seconds How long answers took to begin."
        yield "# TYPE borderlake_sharing_request_seconds histogram"
        for route, buckets in sorted(self._buckets.items()):
            total = 0
            for bound, count in zip((*map(str, _BOUNDS_S), "+Inf"), buckets, strict=True):
                total += count
                yield f'borderlake_sharing_request_seconds_bucket{{route="{route}",le="{bound}"}} {total}'
            yield f'borderlake_sharing_request_seconds_sum{{route="{route}"}} {self._seconds[route]:.6f}'
            yield f'borderlake_sharing_request_seconds_count{{route="{route}"}} {total}'
        yield "# HELP borderlake_sharing_file_bytes_total Bytes of shared files that went out."
        yield "# TYPE borderlake_sharing_file_bytes_total counter"
        yield f"borderlake_sharing_file_bytes_total {self._file_bytes}"
