"""The application: routes, and what happens to every request before and after its answer.

Each is measured, limited in size, time and number, and either answered by a recipient's token or refused; each refusal
goes to the log. Errors of our own tell the caller nothing.
"""

import asyncio
import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable

from anyio import to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sharing.audit import Action, AuditDamaged, Entry
from sharing.recipients import Recipient
from sharing.server import files, listing, metrics, page, tables
from sharing.server.call import CAPABILITIES, Call, object_of
from sharing.server.house import House
from sharing.server.refusals import Refusal, too_large, too_many, too_slow, unauthenticated, unavailable, unknown
from sharing.server.urls import PREFIX, FileUrl
from warehouse.errors import BorderlakeError, where_it_rose

Answer = Callable[[Call], Response]
Endpoint = Callable[[Request], Awaitable[Response]]
_TABLE = "/shares/{share}/schemas/{schema}/tables/{table}"
_LONGEST_DETAIL = 300
_ROUTES: tuple[tuple[str, str, Answer], ...] = (
    ("/shares", "GET", listing.shares),
    ("/shares/{share}", "GET", listing.share),
    ("/shares/{share}/schemas", "GET", listing.schemas),
    ("/shares/{share}/schemas/{schema}/tables", "GET", listing.tables),
    ("/shares/{share}/all-tables", "GET", listing.all_tables),
    (f"{_TABLE}/version", "GET", tables.version),
    (_TABLE, "HEAD", tables.version),
    (f"{_TABLE}/metadata", "GET", tables.metadata),
    (f"{_TABLE}/query", "POST", tables.query),
    (f"{_TABLE}/changes", "GET", tables.changes),
)
_SAFE = {"x-content-type-options": "nosniff", "cache-control": "no-store", "referrer-policy": "no-referrer"}


def create_app(house: House) -> Starlette:
    """The server over a house."""
    routes = [
        Route(PREFIX + path, _endpoint(house, path, _of_protocol(house, answer)), methods=[method])
        for path, method, answer in _ROUTES
    ]
    routes.append(Route(f"{PREFIX}/files/{{file_id}}", _endpoint(house, "/files", _file(house)), methods=["GET"]))
    routes.append(Route("/", _endpoint(house, "/", _page(house)), methods=["GET", "POST"]))
    routes.append(Route("/healthz", _healthy, methods=["GET"]))
    if house.metrics_token_sha256 is not None:
        routes.append(Route("/metrics", _endpoint(house, "/metrics", _metrics(house)), methods=["GET"]))
    app = Starlette(routes=routes, exception_handlers={HTTPException: _endpoint_of_errors(house)})
    app.router.redirect_slashes = False
    return app


def _endpoint(house: House, route: str, answer: Endpoint) -> Endpoint:
    """An endpoint that answers, or refuses in the protocol's shape and writes that down."""

    async def endpoint(request: Request) -> Response:
        began = time.monotonic()
        try:
            response = await answer(request)
        except ClientDisconnect:
            raise
        except Refusal as refusal:
            response = await _refused(house, request, route, refusal)
        except BorderlakeError as error:
            response = await _refused(house, request, route, unavailable(str(error)), error)
        except Exception as error:
            internal = Refusal(500, "INTERNAL_ERROR", "the server failed; ask again later", why=where_it_rose(error))
            response = await _refused(house, request, route, internal)
        for name, value in _SAFE.items():
            response.headers.setdefault(name, value)
        house.metrics.answered(route, response.status_code, time.monotonic() - began)
        return response

    return endpoint


async def _refused(
    house: House, request: Request, route: str, refusal: Refusal, error: BorderlakeError | None = None
) -> Response:
    """Tell a refusal, and write it down but for those by rate, which would fill the log with what strangers send."""
    if refusal.status != 429 and not isinstance(error, AuditDamaged):
        try:
            await to_thread.run_sync(house.audit.record, _entry(house, request, route, refusal))
        except BorderlakeError:
            refusal = unavailable("the refusal could not be written down")
    headers = {} if refusal.retry_after_s is None else {"retry-after": str(refusal.retry_after_s)}
    if refusal.status == 401:
        headers["www-authenticate"] = "Bearer"
    return JSONResponse(refusal.told(), refusal.status, headers=headers)


def _entry(house: House, request: Request, route: str, refusal: Refusal) -> Entry:
    recipient: Recipient | None = getattr(request.state, "recipient", None)
    table = ".".join(request.path_params.get(name, "") for name in ("schema", "table")).strip(".")
    return Entry(
        at=house.clock(),
        action=Action.REFUSED,
        recipient=recipient.code if recipient else "",
        table=table[:_LONGEST_DETAIL],
        purpose=recipient.purpose if recipient else "",
        detail=f"{request.method} {route}: {refusal.status} {refusal.why}"[:_LONGEST_DETAIL],
        credential_id=recipient.credential_id if recipient else "",
        address=_address(request),
    )


def _of_protocol(house: House, answer: Answer) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        body = await _body(house, request)
        return await to_thread.run_sync(_answered, house, request, body, answer)

    return endpoint


def _answered(house: House, request: Request, body: bytes, answer: Answer) -> Response:
    at = house.clock()
    recipient = _authenticated(house, request, _bearer(request), at_address=_address(request))
    call = Call(
        house=house,
        recipient=recipient,
        at=at,
        address=_address(request),
        base_url=(house.public_url or str(request.base_url)).rstrip("/"),
        path=request.path_params,
        query=dict(request.query_params),
        body=object_of(body) if request.method == "POST" else {},
        capabilities=request.headers.get(CAPABILITIES, ""),
    )
    return answer(call)


def _authenticated(house: House, request: Request, token: str, *, at_address: str) -> Recipient:
    at = house.clock()
    recipient = house.recipients.authenticate(token, at_address, at) if token else None
    if recipient is None:
        wait = house.strangers.take(at_address)
        if wait:
            raise too_many(wait)
        raise unauthenticated(house.recipients.why_not(token, at_address, at) if token else "no token")
    request.state.recipient = recipient
    wait = house.rates.take(recipient.credential_id)
    if wait:
        raise too_many(wait)
    return recipient


def _file(house: House) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        return await to_thread.run_sync(answered, request)

    def answered(request: Request) -> Response:
        at, address = house.clock(), _address(request)
        try:
            admitted, url = files.admit(house, request.path_params["file_id"], dict(request.query_params), address, at)
        except Refusal:
            wait = house.strangers.take(address)
            if wait:
                raise too_many(wait) from None
            raise
        request.state.recipient = admitted.recipient
        wait = house.file_rates.take(url.credential_id)
        if wait:
            raise too_many(wait)
        size = house.lake.store.size(admitted.path)
        if size is None:
            raise unknown("the file is gone from the lake")
        span = files.span_of(request.headers.get("range"), size)
        is_head = request.method == "HEAD"
        if not is_head and (url, address) not in house.told:
            house.audit.record(files.entry_of(admitted, url, size, address, at))
            house.told.add((url, address))
        return files.FileAnswer(
            lambda: house.lake.store.open(admitted.path),
            span,
            url.file_id,
            is_head=is_head,
            check=lambda: _checked(house, request, url),
            sent=house.metrics.served,
        )

    return endpoint


def _checked(house: House, request: Request, url: FileUrl) -> None:
    """Raises, and writes it down, where a file that is under way may flow no longer."""
    try:
        files.entitled(house, url, _address(request), house.clock())
    except Refusal as refusal:
        house.audit.record(_entry(house, request, "/files under way", refusal))
        raise


def _page(house: House) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        if request.method != "POST":
            return page.asking()
        body = await _body(house, request)
        return await to_thread.run_sync(answered, request, body)

    def answered(request: Request, body: bytes) -> Response:
        token = page.token_of(body)
        try:
            recipient = _authenticated(house, request, token, at_address=_address(request))
        except Refusal as refusal:
            if refusal.status != 401:
                raise
            house.audit.record(_entry(house, request, "/", refusal))
            return page.asking(refusal.message)
        base_url = (house.public_url or str(request.base_url)).rstrip("/")
        return page.shown(Call(house, recipient, house.clock(), _address(request), base_url))

    return endpoint


def _metrics(house: House) -> Endpoint:
    async def endpoint(request: Request) -> Response:
        digest = hashlib.sha256(_bearer(request).encode("utf-8", "surrogateescape")).hexdigest()
        if not hmac.compare_digest(digest, house.metrics_token_sha256 or ""):
            wait = house.strangers.take(_address(request))
            raise too_many(wait) if wait else unauthenticated("no token for the metrics")
        return Response(house.metrics.text(), headers={"content-type": metrics.CONTENT_TYPE})

    return endpoint


async def _healthy(_: Request) -> Response:
    return JSONResponse({"status": "ok"})


def _endpoint_of_errors(house: House) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers for what no route takes: no such path, no such method."""

    async def refuse(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        refusal = unknown("no such route")
        if status != 404:
            refusal = Refusal(status, "METHOD_NOT_ALLOWED", "this route does not take that method", why="method")
        wait = house.strangers.take(_address(request))
        response = await _refused(house, request, "(none)", too_many(wait) if wait else refusal)
        response.headers.update(getattr(error, "headers", None) or {})  # Methods that the route takes.
        return response

    return refuse


async def _body(house: House, request: Request) -> bytes:
    """The body of a request, within its limits."""
    body = bytearray()
    try:
        async with asyncio.timeout(house.limits.body_seconds):
            async for chunk in request.stream():
                body += chunk
                if len(body) > house.limits.body_bytes:
                    raise too_large(house.limits.body_bytes)
    except TimeoutError:
        raise too_slow() from None
    return bytes(body)


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
