"""The Delta Sharing server: the protocol's REST routes over the tables of the shares, checked at each request."""

from sharing.server.app import create_app
from sharing.server.house import House, Limits

__all__ = ["House", "Limits", "create_app"]
