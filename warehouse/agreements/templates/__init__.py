"""Agreements to start from, one a regime."""

from importlib import resources

from warehouse.errors import UnknownName

_SUFFIX = ".yaml"


def regimes() -> list[str]:
    """Regimes that there is a template for."""
    files = resources.files("warehouse.agreements.templates").iterdir()
    return sorted(file.name.removesuffix(_SUFFIX) for file in files if file.name.endswith(_SUFFIX))


def template(regime: str) -> str:
    """The template's text; raises `UnknownName`."""
    if regime not in regimes():
        raise UnknownName("regime", regime, regimes())
    return resources.files("warehouse.agreements.templates").joinpath(regime + _SUFFIX).read_text("utf-8")
