"""How the application listens: uvicorn, with TLS where a certificate is given, and limits on what waits."""

from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from warehouse.errors import BorderlakeError

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_CONNECTIONS = 1_000
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
    return uvicorn.Config(
        app,
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
        limit_concurrency=_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE_S,
        timeout_graceful_shutdown=_SHUTDOWN_S,
        backlog=2_048,
    )
