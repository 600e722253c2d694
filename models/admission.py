"""From the files of a registered version to a model, or a refusal; nothing is parsed before it is verified.

In this order: files are read as plain files of a bounded size; their hash must be the registered one; the seal (a MAC
under the deployment's key of name, version and hash) says that this deployment registered that hash as that version;
then text and bundle are held against what training writes. So a file that was changed is refused by its hash, one
whose hash was changed with it by its seal, and one that was sealed all the same cannot end the process.
"""

import hashlib
import hmac
import math
import os
import stat
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path

from models import model_text
from models.model_text import NotAModel
from models.recovery import Recovery
from models.training import Bundle, Model, fingerprint
from warehouse.errors import BorderlakeError

MOST_BUNDLE_BYTES = 16 * 2**20
_PURPOSE = b"borderlake: models that this deployment registered"


def sealing_key(vault_key: bytes) -> bytes:
    """The deployment's key for seals, which tells nothing of the vault's."""
    return hmac.new(vault_key, _PURPOSE, hashlib.sha256).digest()


def seal(key: bytes, name: str, version: int, sha256: str) -> str:
    """What only a holder of the key can write: that this hash was registered as this version of this model."""
    return hmac.new(key, f"{name}\x1f{version}\x1f{sha256}".encode(), hashlib.sha256).hexdigest()


def admit(text: bytes, bundle: bytes, expected: str | None, sealed: Callable[[str], bool], what: str) -> Model:
    """The model of two files, if they are what was registered and what training writes."""
    sha256 = fingerprint(text, bundle)
    if sha256 != expected:
        raise BorderlakeError(
            f"{what}: its files are not the registered ones (hash differs) and will not be used; "
            "register it again by training"
        )
    if not sealed(sha256):
        raise BorderlakeError(
            f"{what}: its hash was not registered by this deployment (no seal, or one under another key) and it will "
            "not be used; restore the vault key that it was trained under, or register it again by training"
        )
    try:
        return _parsed(text, bundle)
    except NotAModel as error:
        raise BorderlakeError(f"{what}: its files are none that training writes ({error}); train again") from None


def vet(model: Model) -> None:
    """Raise where loading would refuse what training has just made, before it is registered."""
    try:
        _parsed(model.text.encode(), model.bundle.to_json().encode())
    except NotAModel as error:
        raise BorderlakeError(
            f"{model.bundle.model_name}: training made what loading refuses ({error}), so it is not registered; "
            "was LightGBM replaced by a release that writes another text?"
        ) from None


@lru_cache(maxsize=8)
def _parsed(text: bytes, bundle: bytes) -> Model:
    """Once per content: what has passed is remembered."""
    return Model(_checked_text(text, checked := _checked_bundle(bundle)), checked)


def _checked_text(text: bytes, bundle: Bundle) -> str:
    try:
        decoded = text.decode("ascii")
    except UnicodeDecodeError:
        raise NotAModel("trees that are no text") from None
    model_text.check(decoded, bundle.encoder.columns)
    return decoded


def _checked_bundle(bundle: bytes) -> Bundle:
    """A bundle that training would write back byte for byte, and whose numbers are numbers."""
    try:
        read = Bundle.from_json(bundle.decode("utf-8"))
        is_same = read.to_json().encode() == bundle
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
        raise NotAModel("a bundle that is none") from None
    if not is_same:
        raise NotAModel("a bundle with other content than training writes")
    calibrator = read.calibrator
    numbers = [calibrator.a, calibrator.b, calibrator.c]
    codes = [code for one in read.encoder.codes.values() for code in one.values()]
    if not all(type(one) is float and math.isfinite(one) for one in numbers):
        raise NotAModel("a bundle with a calibrator of no numbers")
    ranges = [read.usual.overall, *read.usual.of_kinds.values(), read.ground.reach]
    if not all(type(bound) is float for each in ranges for pair in each.values() for bound in pair):
        raise NotAModel("a bundle with usual values that are no numbers")
    if not all(type(one) is int and 0 <= one <= len(codes) for one in codes):
        raise NotAModel("a bundle with a code that is none")
    if read.recovery is not None:
        _check_recovery(read.recovery, len(read.encoder.columns))
    texts = [read.model_name, read.spec_digest, calibrator.method, *read.encoder.columns, *read.jurisdictions]
    if not all(isinstance(one, str) for one in texts) or len(set(read.encoder.columns)) < len(read.encoder.columns):
        raise NotAModel("a bundle with a name that is none")
    return read


def _check_recovery(recovery: Recovery, columns: int) -> None:
    if not (type(recovery.factor) is float and math.isfinite(recovery.factor) and isinstance(recovery.text, str)):
        raise NotAModel("a bundle with an expected recovery that is none")
    model_text.check(recovery.text, [f"Column_{at}" for at in range(columns)], model_text.GAMMA)


def read_file(path: Path, most: int, what: str) -> bytes:
    """A plain file of at most `most` bytes; no link, pipe or device, which may have no end."""
    try:
        number = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        raise BorderlakeError(f"{what}: its files are missing; register it again by training") from None
    try:
        found = os.fstat(number)
        if not stat.S_ISREG(found.st_mode) or found.st_size > most:
            raise BorderlakeError(
                f"{what}: one of its files is no plain file of at most {most:,} bytes; register it again by training"
            )
        with os.fdopen(number, "rb", closefd=False) as stream:
            return stream.read(most + 1)
    finally:
        os.close(number)
