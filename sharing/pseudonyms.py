"""Keys of pseudonyms: one of its own for each recipient, drawn at random, so that none follows from another.

A key is kept as the vault's is: in a file that only its owner may read, or in the environment. A rotated key gives
every pseudonym of the recipient anew; earlier keys stay, for the house may have to say whom an old pseudonym meant.
What is made with a key is `warehouse.agreements.cutting`.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field
from pathlib import Path

from warehouse import vault
from warehouse.errors import BorderlakeError

VARIABLE_PREFIX = "BORDERLAKE_PSEUDONYM_KEY_"
"""With the recipient's code behind it, in capitals and with underscores, names a key in hex."""
_SUFFIX = ".key"
_TOKEN_LENGTH = 16


@dataclass(frozen=True)
class Key:
    """A recipient's key; `key_id` says which, and nothing of it."""

    key_id: str
    secret: bytes = field(repr=False)

    def token(self, text: str) -> str:
        """A name for something of the house that tells the recipient nothing; no pseudonym is ever the same."""
        return hmac.new(self.secret, f"token\x1f{text}".encode(), hashlib.sha256).hexdigest()[:_TOKEN_LENGTH]


@dataclass(frozen=True)
class Keys:
    """The keys of all recipients; `folder` holds a folder for each, with a file for each key."""

    folder: Path

    def current(self, recipient: str) -> Key:
        """The key that pseudonyms are made with now; the first is made when it is asked for."""
        variable = _variable(recipient)
        if os.environ.get(variable):
            secret = vault.load_key(self.folder / recipient, variable)
            # Of a key of 128 random bits or more its digest tells nothing.
            return Key(f"environment-{hashlib.sha256(secret).hexdigest()[:8]}", secret)
        return self._key(recipient, max(self._numbers(recipient), default=1))

    def every(self, recipient: str) -> list[Key]:
        """All keys that there are of a recipient, the present one last; none is made."""
        named = [self.current(recipient)] if os.environ.get(_variable(recipient)) else []
        return [self._key(recipient, number) for number in sorted(self._numbers(recipient))] + named

    def rotate(self, recipient: str) -> Key:
        """Draw the recipient's next key; its shares are made anew with it when they are next refreshed.

        Raises where the environment names the key: a drawn one would never be used.
        """
        if os.environ.get(_variable(recipient)):
            raise BorderlakeError(f"the key of {recipient} is in {_variable(recipient)}; set that to another key")
        return self._key(recipient, max(self._numbers(recipient), default=0) + 1)

    def _key(self, recipient: str, number: int) -> Key:
        return Key(str(number), vault.load_key(self.folder / recipient / f"{number}{_SUFFIX}", None))

    def _numbers(self, recipient: str) -> list[int]:
        found = (self.folder / recipient).glob(f"*{_SUFFIX}")
        return [int(path.stem) for path in found if path.stem.isdigit()]


def _variable(recipient: str) -> str:
    return VARIABLE_PREFIX + recipient.upper().replace("-", "_")
