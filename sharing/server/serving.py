"""How the application listens: uvicorn, with TLS where a certificate is given, and limits on what waits."""

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from sharing.server.connections import BoundedConnection, Bounds
from warehouse.errors import BorderlakeError

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_KEEP_ALIVE_S = 10
_SHUTDOWN_S = 20


def listening(
    app: ASGIApp,
    *,
    host: str,
    port: int,
    tls_cert: Path | None = None,
    tls_key: Path | None = None,
    proxies: tuple[str, ...] = (),
    bounds: Bounds = Bounds(),  # noqa: B008
) -> uvicorn.Config:
    """How to run the application; raises where tokens would travel in the clear.

    `proxies` are the addresses whose word about the caller's address and scheme is taken.
    """
    if (tls_cert is None) != (tls_key is None):
        raise BorderlakeError("TLS takes a certificate and a key; give --tls-cert and --tls-key")
    if tls_cert is None and host not in _LOOPBACK and not proxies:
        raise BorderlakeError(
            f"on {host} tokens would travel in the clear; give --tls-cert and --tls-key, or listen on loopback behind "
            "a proxy that speaks TLS"
        )
    own: Any = partial(BoundedConnection, bounds=replace(bounds, of_address=None) if proxies else bounds)
    return uvicorn.Config(
        app,
        http=own,
        host=host,
        port=port,
        ssl_certfile=tls_cert,
        ssl_keyfile=tls_key,
        proxy_headers=bool(proxies),
        forwarded_allow_ips=list(proxies) or None,
        server_header=False,
        access_log=False,
        log_level="warning",
        lifespan="off",
        ws="none",
        limit_concurrency=bounds.connections,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        backlog=2_048,
    )
