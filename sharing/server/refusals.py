"""Refusals: what a caller is told, in the protocol's shape, and what only the house's own log is told.

What is not granted and what does not exist are refused alike.
"""

from dataclasses import dataclass


@dataclass
class Refusal(Exception):
    """An answer that is none. `why` is for the log alone."""

    status: int
    code: str
    message: str
    why: str = ""
    retry_after_s: int | None = None

    def __post_init__(self) -> None:
        super().__init__(self.message)

    def told(self) -> dict[str, str]:
        """The body of the answer."""
        return {"errorCode": self.code, "message": self.message}


def malformed(message: str) -> Refusal:
    """A request that is not as the protocol has it."""
    return Refusal(400, "INVALID_PARAMETER_VALUE", message, why=message)


def unauthenticated(why: str) -> Refusal:
    """A token that does not count, for whichever reason."""
    message = "the bearer token is missing or does not count; ask your contact at the providing agency for a new one"
    return Refusal(401, "UNAUTHENTICATED", message, why=why)


def forbidden(message: str, why: str) -> Refusal:
    """Something that the agreement keeps back of a table that it grants."""
    return Refusal(403, "PERMISSION_DENIED", message, why=why)


def unknown(why: str) -> Refusal:
    """A share, schema, table or file that does not exist, or not for this recipient."""
    return Refusal(404, "RESOURCE_DOES_NOT_EXIST", "it does not exist, or is not shared with you", why=why)


def too_large(limit: int) -> Refusal:
    """A request body beyond the limit."""
    return Refusal(413, "REQUEST_TOO_LARGE", f"a request's body has at most {limit:,} bytes", why="body too large")


def too_many(retry_after_s: int) -> Refusal:
    """More requests than the limit."""
    message = "too many requests; wait and ask again"
    return Refusal(429, "TOO_MANY_REQUESTS", message, why="rate limit", retry_after_s=retry_after_s)


def too_slow() -> Refusal:
    """A request that took longer than the limit."""
    return Refusal(408, "REQUEST_TIMEOUT", "the request took too long to arrive", why="timeout")


def unavailable(why: str) -> Refusal:
    """Something on our side keeps the answer from being given; nothing is told of it."""
    message = "the server cannot answer now; ask again later"
    return Refusal(503, "SERVICE_UNAVAILABLE", message, why=why, retry_after_s=30)
