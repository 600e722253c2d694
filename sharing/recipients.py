"""Who may ask: recipients' tokens, each for one purpose, kept as hashes in one file of the home.

A token is 256 random bits, shown once, good for 90 days at most. A rotation lets the old one live on for an overlap;
a revocation counts from the next request on, in every process. What a recipient may see is its agreements' business.
"""

import contextlib
import fcntl
import hashlib
import ipaddress
import json
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError
from warehouse.storage import write_durably

LONGEST = timedelta(days=90)
LONGEST_OVERLAP = timedelta(days=14)
_FILE = "recipients.json"
_TOKEN_BYTES = 32
_ID_BYTES = 8
_PREFIX = "bls_"
"""Lets scanners for secrets know a token that was committed or mailed by mistake."""


@dataclass(frozen=True)
class Recipient:
    """Somebody who has proved who it is, and for which purpose it asks."""

    code: str
    purpose: Purpose
    credential_id: str


@dataclass(frozen=True)
class Credential:
    """What is kept of one token: enough to know it again, not to make it."""

    credential_id: str
    recipient: str
    purpose: Purpose
    token_sha256: str
    issued_at: datetime
    expires_at: datetime
    networks: tuple[str, ...] = ()
    """Networks (CIDR) that it may be used from; from anywhere where none is named."""
    revoked_at: datetime | None = None

    def is_live(self, at: datetime) -> bool:
        """Whether it counts at a moment."""
        return self.issued_at <= at < self.expires_at and (self.revoked_at is None or at < self.revoked_at)

    def is_for(self, address: str) -> bool:
        """Whether it may be used from an address."""
        if not self.networks:
            return True
        try:
            asking = ipaddress.ip_address(address)
        except ValueError:
            return False
        asking = getattr(asking, "ipv4_mapped", None) or asking
        return any(asking in ipaddress.ip_network(network) for network in self.networks)


@dataclass(frozen=True)
class Issued:
    """A new credential with its token, which nothing else knows."""

    credential: Credential
    token: str

    def profile(self, endpoint: str) -> dict[str, object]:
        """The profile file (version 1) that clients of the Delta Sharing protocol read."""
        return {
            "shareCredentialsVersion": 1,
            "endpoint": endpoint.rstrip("/"),
            "bearerToken": self.token,
            "expirationTime": self.credential.expires_at.isoformat(timespec="milliseconds"),
        }


class Recipients:
    """The credentials of a home. Safe for several processes: what one writes the others see at their next look."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / _FILE
        self._seen: tuple[int, int, int] | None = None
        self._held: Mapping[str, Credential] = {}
        self._reading = threading.Lock()

    def credentials(self) -> tuple[Credential, ...]:
        """Every credential that was ever issued, oldest first."""
        return tuple(self._by_token().values())

    def authenticate(self, token: str, address: str, at: datetime) -> Recipient | None:
        """Who holds a token, if it counts now and may be used from the address."""
        return _admitted(self._by_token().get(_hashed(token)), address, at)

    def holder(self, credential_id: str, address: str, at: datetime) -> Recipient | None:
        """Who holds a credential, by its id: what a signed URL names."""
        found = next((one for one in self._by_token().values() if one.credential_id == credential_id), None)
        return _admitted(found, address, at)

    def why_not(self, token: str, address: str, at: datetime) -> str:
        """Why a token does not count, for the house's own log: it says whose it was, never what it was."""
        found = self._by_token().get(_hashed(token))
        if found is None:
            return "an unknown token"
        name = f"credential {found.credential_id} of {found.recipient}"
        if found.revoked_at is not None and at >= found.revoked_at:
            return f"{name} was revoked"
        if not found.is_live(at):
            return f"{name} has expired"
        return f"{name} may not be used from {address}" if not found.is_for(address) else f"{name} counts"

    def add(
        self,
        code: str,
        purpose: Purpose,
        at: datetime,
        *,
        life: timedelta = LONGEST,
        networks: Sequence[str] = (),
    ) -> Issued:
        """A first credential of a recipient for a purpose; raises where it has one that counts."""
        issued = _issue(code, purpose, at, life, networks)

        def added(held: list[Credential]) -> list[Credential]:
            if any(_is_of(one, code, purpose) and one.is_live(at) for one in held):
                raise BorderlakeError(
                    f"{code} has a token for {purpose} that counts; `borderlake share recipient rotate {code}` "
                    "replaces it, `revoke` ends it"
                )
            return [*held, issued.credential]

        self._change(added)
        return issued

    def rotate(
        self,
        code: str,
        purpose: Purpose,
        at: datetime,
        *,
        life: timedelta = LONGEST,
        overlap: timedelta = timedelta(days=1),
    ) -> Issued:
        """A new credential in place of those that count, which live on for the overlap at most."""
        if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
            raise BorderlakeError(
                f"an old token may live on for 0 to {LONGEST_OVERLAP.days} days; choose that --overlap"
            )
        made: list[Issued] = []

        def rotated(held: list[Credential]) -> list[Credential]:
            live = [one for one in held if _is_of(one, code, purpose) and one.is_live(at)]
            if not live:
                raise BorderlakeError(
                    f"{code} has no token for {purpose} that counts; `borderlake share recipient add {code}` makes one"
                )
            made[:] = [_issue(code, purpose, at, life, live[-1].networks)]
            ending = {one.credential_id: replace(one, expires_at=min(one.expires_at, at + overlap)) for one in live}
            return [*(ending.get(one.credential_id, one) for one in held), made[0].credential]

        self._change(rotated)
        return made[0]

    def revoke(self, code: str, at: datetime, *, purpose: Purpose | None = None) -> tuple[Credential, ...]:
        """End the credentials of a recipient that count, at once; returns them as they are now."""
        ended: list[Credential] = []

        def revoked(held: list[Credential]) -> list[Credential]:
            if not any(one.recipient == code for one in held):
                known = ", ".join(sorted({one.recipient for one in held})) or "none"
                raise BorderlakeError(f"no token was ever made for {code}. Known: {known}")
            after = []
            for one in held:
                is_meant = one.recipient == code and purpose in (None, one.purpose) and one.is_live(at)
                after.append(replace(one, revoked_at=at) if is_meant else one)
                ended.extend(after[-1:] if is_meant else ())
            return after

        self._change(revoked)
        return tuple(ended)

    def _by_token(self) -> Mapping[str, Credential]:
        """The credentials by the hash of their token, read again whenever the file was replaced."""
        with self._reading:
            try:
                status = self._path.stat()
            except FileNotFoundError:
                self._seen, self._held = None, {}
                return self._held
            seen = (status.st_ino, status.st_mtime_ns, status.st_size)
            if seen != self._seen:
                self._held = {one.token_sha256: one for one in _read(self._path)}
                self._seen = seen
            return self._held

    def _change(self, change: Callable[[list[Credential]], list[Credential]]) -> None:
        with self._alone():
            held = _read(self._path) if self._path.exists() else []
            content = {"version": 1, "credentials": [_written(one) for one in change(held)]}
            write_durably(self._path, (json.dumps(content, indent=1) + "\n").encode(), replace=True)

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._path.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def write_profile(path: Path, profile: Mapping[str, object]) -> None:
    """Write a profile file that only its owner may read; raises where there is one already."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BorderlakeError(f"{path.name} exists already; a profile is written once, give another file") from None
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        json.dump(profile, stream, indent=2)
        stream.write("\n")


def _issue(code: str, purpose: Purpose, at: datetime, life: timedelta, networks: Sequence[str]) -> Issued:
    if not timedelta(0) < life <= LONGEST:
        raise BorderlakeError(f"a token lives for 1 to {LONGEST.days} days; choose that --days")
    for network in networks:
        try:
            ipaddress.ip_network(network)
        except ValueError:
            raise BorderlakeError(f"'{network}' is no network; write it as 192.0.2.0/24 or 2001:db8::/32") from None
    token = _PREFIX + secrets.token_urlsafe(_TOKEN_BYTES)
    credential_id = secrets.token_hex(_ID_BYTES)
    return Issued(Credential(credential_id, code, purpose, _hashed(token), at, at + life, tuple(networks)), token)


def _admitted(found: Credential | None, address: str, at: datetime) -> Recipient | None:
    if found is None or not found.is_live(at) or not found.is_for(address):
        return None
    return Recipient(found.recipient, found.purpose, found.credential_id)


def _is_of(credential: Credential, code: str, purpose: Purpose) -> bool:
    return (credential.recipient, credential.purpose) == (code, purpose)


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogateescape")).hexdigest()


def _written(credential: Credential) -> dict[str, Any]:
    moments = {
        name: None if (moment := getattr(credential, name)) is None else moment.isoformat()
        for name in ("issued_at", "expires_at", "revoked_at")
    }
    return {**vars(credential), **moments, "networks": list(credential.networks)}


def _read(path: Path) -> list[Credential]:
    try:
        told = json.loads(path.read_bytes())
        return [
            Credential(
                credential_id=one["credential_id"],
                recipient=one["recipient"],
                purpose=Purpose(one["purpose"]),
                token_sha256=one["token_sha256"],
                issued_at=datetime.fromisoformat(one["issued_at"]),
                expires_at=datetime.fromisoformat(one["expires_at"]),
                networks=tuple(one["networks"]),
                revoked_at=None if one["revoked_at"] is None else datetime.fromisoformat(one["revoked_at"]),
            )
            for one in told["credentials"]
        ]
    except (ValueError, KeyError, TypeError, RecursionError):
        raise BorderlakeError(
            f"{path.name} is damaged, so that nobody is let in; restore it from the home's backup"
        ) from None
