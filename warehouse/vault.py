"""The vault: identifying values and their keyed ids.

A keyed id is HMAC-SHA-256 of (entity kind, normalised value), parted by the unit separator, under the deployment's
key as hex text; of it the first 128 bits in hex.
Silver, features and scores carry keyed ids only; who holds the key and the vault tables can go back.
"""

import contextlib
import os
import secrets
import tempfile
from collections.abc import Sequence
from pathlib import Path

import polars as pl
import polars_hash

from warehouse.errors import BorderlakeError
from warehouse.ids import ID_LENGTH, row_text

KEY_VARIABLE = "BORDERLAKE_VAULT_KEY"
_SEPARATOR = "\x1f"
_LEAST_BYTES = 16


def load_key(path: Path, variable: str | None = KEY_VARIABLE) -> bytes:
    """A key, by default the deployment's: from an environment variable (hex), or a file only its owner may read, made
    once."""
    if variable and (text := os.environ.get(variable)):
        return _key(text, variable)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        number, draft = tempfile.mkstemp(dir=path.parent)  # Mode 0600 from the start.
        with os.fdopen(number, "w") as stream:
            stream.write(secrets.token_hex(32))
            stream.flush()
            os.fsync(number)  # A lost key would part every new id from the old ones.
        with contextlib.suppress(FileExistsError):  # Another process was first: its key is the key.
            os.link(draft, path)
        Path(draft).unlink()
    return _key(path.read_text(), path.name)


def _key(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) < _LEAST_BYTES:
        raise BorderlakeError(
            f"{place} holds no key of {_LEAST_BYTES} bytes or more in hex; restore it from its backup"
        )
    return key


def normalised(parts: Sequence[pl.Expr]) -> pl.Expr:
    """One comparable text of identifying parts: upper case, without spaces or hyphens; null if any part is."""
    plain = [part.cast(pl.String).str.to_uppercase().str.replace_all(r"[\s\-]", "") for part in parts]
    return pl.concat_str(plain, separator=_SEPARATOR, ignore_nulls=False)


def keyed_id(kind: str, value: pl.Expr, key: bytes) -> pl.Expr:
    """The keyed id of a normalised value; null stays null."""
    text = pl.concat_str(pl.lit(f"{kind}{_SEPARATOR}"), value, ignore_nulls=False)
    hashed: pl.Expr = polars_hash.concat_str(text).chash.hmac_sha256(key=key.hex())
    return hashed.str.slice(0, ID_LENGTH)


def require_key(identities: pl.LazyFrame, key: bytes) -> None:
    """Raises where the ids that a lake holds were made under another key: new ones would be of other entities."""
    made = identities.select("entity_kind", "identity", "source_id").head(1).collect()
    for kind, identity, source_id in made.iter_rows():
        if pl.select(keyed_id(kind, pl.lit(identity), key)).item() != source_id:
            raise BorderlakeError(
                "the ids of this lake were made under another vault key than this home's: nothing was written. Put the "
                f"key of the home that began the lake into secrets/vault.key, or set {KEY_VARIABLE}"
            )


def content_id(rows: pl.DataFrame, columns: Sequence[str], key: bytes) -> pl.Expr:
    """The keyed id of what each row says: equal where rows say the same, and nothing to try values out on."""
    return keyed_id("content", row_text(rows, columns), key)
