"""`borderlake share ...`: who may read the shares, and the server that they read them from."""

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
import uvicorn

from pipelines.cli.output import JsonOut, console, table, write_json
from pipelines.deployment import Deployment, from_environment
from pipelines.serving import refuse_taken
from sharing.audit import AuditLog
from sharing.recipients import LONGEST, Credential, Issued, Recipients, write_profile
from sharing.server import House, create_app
from sharing.server.serving import listening
from sharing.server.urls import PREFIX, Signer
from sharing.watching import Watched
from warehouse import vault
from warehouse.contracts.base import Purpose
from warehouse.errors import BorderlakeError

PORT = 8470
ENDPOINT = f"http://127.0.0.1:{PORT}{PREFIX}"

app = typer.Typer(no_args_is_help=True, help="Share tables with other agencies, as their agreements allow.")
recipient = typer.Typer(no_args_is_help=True, help="Tokens of recipients: add, list, rotate, revoke.")
app.add_typer(recipient, name="recipient")

Code = Annotated[str, typer.Argument(metavar="CODE", help="The recipient's code, as its agreement has it.")]
ForPurpose = Annotated[
    Purpose | None, typer.Option("--purpose", help="What the token is for; may be left out where there is only one.")
]
Days = Annotated[int, typer.Option("--days", help=f"How long the token lives; {LONGEST.days} at most.")]
Out = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help="The profile file to write; default CODE.share.")
]
Endpoint = Annotated[str, typer.Option("--endpoint", help="Where the recipient reaches the server.")]


@recipient.command()
def add(
    code: Code,
    purpose: ForPurpose = None,
    days: Days = LONGEST.days,
    network: Annotated[
        list[str] | None, typer.Option("--network", help="A network (CIDR) to be asked from; repeat for more.")
    ] = None,
    endpoint: Endpoint = ENDPOINT,
    out: Out = None,
) -> None:
    """Make a recipient's first token, and its profile file, which is written once.

    Only for a recipient and purpose that an agreement of this home names: what it may see is the agreement's.
    """
    deployment, at = from_environment(), datetime.now(UTC)
    meant, path = _purpose(deployment, code, purpose, at), _free(code, out)
    issued = _recipients(deployment).add(code, meant, at, life=timedelta(days=days), networks=network or ())
    _hand_out(issued, endpoint, path)


@recipient.command()
def rotate(
    code: Code,
    purpose: ForPurpose = None,
    days: Days = LONGEST.days,
    overlap: Annotated[int, typer.Option("--overlap", help="Hours that the old token lives on.")] = 24,
    endpoint: Endpoint = ENDPOINT,
    out: Out = None,
) -> None:
    """Make a new token in place of the old one, which lives on for a while."""
    deployment, at = from_environment(), datetime.now(UTC)
    meant, path = _purpose(deployment, code, purpose, at), _free(code, out)
    life, lives_on = timedelta(days=days), timedelta(hours=overlap)
    _hand_out(_recipients(deployment).rotate(code, meant, at, life=life, overlap=lives_on), endpoint, path)


@recipient.command()
def revoke(code: Code, purpose: ForPurpose = None, json_out: JsonOut = None) -> None:
    """End a recipient's tokens at once, file URLs included."""
    ended = _recipients(from_environment()).revoke(code, datetime.now(UTC), purpose=purpose)
    said = f"{len(ended)} tokens of {code} are ended" if ended else f"{code} had no token that counts"
    console.print(said, highlight=False)
    write_json(json_out, {"revoked": [_facts(one, datetime.now(UTC)) for one in ended]})


@recipient.command(name="list")
def list_recipients(json_out: JsonOut = None) -> None:
    """Show every token that was made: whose, for what, until when. Never a token itself."""
    at = datetime.now(UTC)
    found = [_facts(one, at) for one in _recipients(from_environment()).credentials()]
    columns = ("recipient", "purpose", "state", "expires", "networks", "credential")
    console.print(table("Tokens", columns, [[one[name] for name in columns] for one in found]))
    write_json(json_out, {"tokens": found})


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on; any but loopback takes TLS.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port to listen on.", min=0, max=65535)] = PORT,
    tls_cert: Annotated[Path | None, typer.Option(help="Certificate chain (PEM).", exists=True, dir_okay=False)] = None,
    tls_key: Annotated[Path | None, typer.Option(help="Its private key (PEM).", exists=True, dir_okay=False)] = None,
    public_url: Annotated[
        str | None, typer.Option(help="Where recipients reach it, if a proxy stands before it: https://share.example")
    ] = None,
    proxy: Annotated[
        list[str] | None, typer.Option("--proxy", help="Address of a proxy whose word on callers counts; repeatable.")
    ] = None,
    metrics_token: Annotated[
        Path | None,
        typer.Option(help="File with the token that /metrics takes; none without it.", exists=True, dir_okay=False),
    ] = None,
) -> None:
    """Serve the shares over the Delta Sharing protocol, until it is stopped."""
    house = house_of(from_environment(), public_url=public_url, metrics_token=metrics_token)
    house.agreements()  # Wrong ones are told here, not to recipients.
    config = listening(
        create_app(house), host=host, port=port, tls_cert=tls_cert, tls_key=tls_key, proxies=tuple(proxy or ())
    )
    refuse_taken(host, port, "choose another with --port, or stop what holds it")
    scheme = "https" if tls_cert else "http"
    console.print(
        f"serving {scheme}://{host}:{port}{PREFIX}, a page for recipients at /; stop with Ctrl-C", highlight=False
    )
    uvicorn.Server(config).run()


def house_of(deployment: Deployment, *, public_url: str | None = None, metrics_token: Path | None = None) -> House:
    """What the server works with, of a deployment."""
    settings = deployment.settings
    token = metrics_token.read_text("utf-8").strip() if metrics_token else ""
    if metrics_token and not token:
        raise BorderlakeError(f"{metrics_token.name} is empty; write a token into it")
    return House(
        lake=deployment.lake,
        agreements=Watched(settings.agreements),
        recipients=_recipients(deployment),
        audit=audit_of(deployment),
        clock=lambda: datetime.now(UTC),
        signer=signer_of(deployment),
        public_url=public_url,
        metrics_token_sha256=hashlib.sha256(token.encode()).hexdigest() if token else None,
    )


def audit_of(deployment: Deployment) -> AuditLog:
    """The audit log of a deployment."""
    return AuditLog(deployment.settings.sharing, deployment.settings.anchors)


def signer_of(deployment: Deployment) -> Signer:
    """What signs file URLs, and names files."""
    return Signer(vault.load_key(deployment.settings.sharing / "urls.key", None))


def _recipients(deployment: Deployment) -> Recipients:
    return Recipients(deployment.settings.sharing)


def _purpose(deployment: Deployment, code: str, purpose: Purpose | None, at: datetime) -> Purpose:
    """The purpose that is meant; raises where no agreement names the recipient for it."""
    named = [one for one in deployment.agreements if one.recipient.code == code and one.expires_on >= at.date()]
    if not named:
        raise BorderlakeError(
            f"no agreement of this home names {code}, or only expired ones; write one into "
            f"{deployment.settings.agreements} (`borderlake agreement new` starts it)"
        )
    purposes = sorted({one for agreement in named for one in agreement.purposes})
    if purpose is None and len(purposes) > 1:
        raise BorderlakeError(f"{code} has agreements for {', '.join(purposes)}; say which with --purpose")
    if purpose is not None and purpose not in purposes:
        raise BorderlakeError(f"no agreement with {code} is for {purpose}; it may be one of: {', '.join(purposes)}")
    return purpose or purposes[0]


def _free(code: str, out: Path | None) -> Path:
    """The profile file to write, which is not there yet: found out before a token is made."""
    path = out or Path(f"{code}.share")
    if path.exists():
        raise BorderlakeError(f"{path} exists already; a profile is written once, give another file with --out")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def _hand_out(issued: Issued, endpoint: str, path: Path) -> None:
    write_profile(path, issued.profile(endpoint))
    credential = issued.credential
    console.print(
        f"written: {path}, for {credential.purpose}, until {credential.expires_at:%Y-%m-%d %H:%M} UTC; hand it to "
        f"{credential.recipient} on a safe way and delete it here: nothing can show its token again",
        highlight=False,
        soft_wrap=True,
    )


def _facts(credential: Credential, at: datetime) -> dict[str, object]:
    state = "counts" if credential.is_live(at) else "revoked" if credential.revoked_at else "expired"
    return {
        "credential": credential.credential_id,
        "recipient": credential.recipient,
        "purpose": str(credential.purpose),
        "state": state,
        "issued": credential.issued_at.isoformat(timespec="seconds"),
        "expires": credential.expires_at.isoformat(timespec="seconds"),
        "networks": ", ".join(credential.networks) or "any",
    }
