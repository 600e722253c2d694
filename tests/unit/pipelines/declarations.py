"""Declarations as Norvale's customs sends them: a sound line, one that is refused, and files of them in the inbox."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from pipelines import flows
from pipelines.deployment import Deployment

NOW = datetime(2025, 1, 3, tzinfo=UTC)
HEADER = (
    "DECL_NO;ITEM_NO;LODGED;OFFICE;PROCEDURE;MODE;IMPORTER;IMPORTER_NAME;DECLARANT;SELLER;CARRIER;CONVEYANCE;"
    "CONSIGNMENT;HS;ORIGIN;DISPATCH;DUTY_PCT;NET_KG;GROSS_KG;PACKAGES;VALUE;CURRENCY;DESCRIPTION;AMENDED;TRADER_STATUS"
)
GOOD = (
    "25XN1;1;02.01.2025 04:34:15;XNPRT;4000;3;XN1;Muster AG;D1;S1;C1;AB123;"
    "K1;850440;CN;CN;3,3;10,5;11,0;5;100,50;EUR;Goods;;AEO"
)
BAD = GOOD.replace("02.01.2025", "31.02.2025").replace("25XN1", "25XN2")


def extract(folder: Path, *lines: str, name: str = "declarations.csv") -> Path:
    """A file of these lines in a folder."""
    path = folder / name
    path.write_bytes("\r\n".join([HEADER, *lines, ""]).encode("iso-8859-1"))
    return path


def inbox_of(home: Path) -> Path:
    """The folder that customs puts its declarations into."""
    folder = home / "inbox" / "customs" / "declarations"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def delivered(deployment: Deployment, name: str = "declarations.csv", number: str = "25XN1") -> Path:
    """A file with a sound line and one to refuse, in the inbox."""
    lines = (GOOD.replace("25XN1", number), BAD.replace("25XN2", f"{number}B"))
    return extract(inbox_of(deployment.settings.home), *lines, name=name)


def land_inbox(deployment: Deployment) -> None:
    flows.land_all(deployment, flows.waiting_deliveries(deployment, NOW), NOW)
