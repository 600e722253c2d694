"""What the server works with: the lake, the agreements, who may ask, the log, and its limits. No routes here."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sharing.audit import AuditLog
from sharing.recipients import Recipients
from sharing.server.kept import Derived
from sharing.server.metrics import Metrics
from sharing.server.rates import Rates
from sharing.server.snapshots import Snapshots
from sharing.server.told import Told
from sharing.server.urls import Signer
from warehouse.agreements import Agreement
from warehouse.delta import Lake


@dataclass(frozen=True)
class Limits:
    """What one caller may ask of the server, and for how long."""

    requests_per_second: float = 50.0
    """Of one credential; others wait their turn."""
    burst: int = 400
    files_per_second: float = 1_000.0
    """Requests under signed URLs: clients make a dozen for one file, and a share has a file a day of its source."""
    files_burst: int = 20_000
    strangers_per_second: float = 2.0
    """Of one address without a token that counts."""
    strangers_burst: int = 20
    body_bytes: int = 1 << 20
    body_seconds: float = 10.0
    url_life: timedelta = timedelta(minutes=15)
    page_size: int = 500


@dataclass(frozen=True)
class House:
    """Everything a request is answered from."""

    lake: Lake
    agreements: Callable[[], tuple[Agreement, ...]]
    """The agreements as they are now; raises where they cannot be read, and nothing is served then."""
    recipients: Recipients
    audit: AuditLog
    clock: Callable[[], datetime]
    signer: Signer
    limits: Limits = field(default_factory=Limits)
    public_url: str | None = None
    """Where recipients reach the server, if not where it listens: file URLs begin with it."""
    metrics_token_sha256: str | None = None
    metrics: Metrics = field(default_factory=Metrics)

    @cached_property
    def snapshots(self) -> Snapshots:
        return Snapshots(self.lake)

    @cached_property
    def derived(self) -> Derived:
        return Derived(self.signer)

    @cached_property
    def told(self) -> Told:
        """Servings of files that stand in the log."""
        return Told()

    @cached_property
    def rates(self) -> Rates:
        """What each credential may still ask."""
        return Rates(self.limits.requests_per_second, self.limits.burst)

    @cached_property
    def file_rates(self) -> Rates:
        """What each credential may still fetch."""
        return Rates(self.limits.files_per_second, self.limits.files_burst)

    @cached_property
    def strangers(self) -> Rates:
        """How often an address may still come without a token that counts."""
        return Rates(self.limits.strangers_per_second, self.limits.strangers_burst)
