"""Codes of a second factor: plain arithmetic and random texts.

A code is six digits of RFC 6238 with SHA-1 and steps of 30 s, which every authenticator app knows.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import unicodedata
from urllib.parse import quote, urlencode

from django_otp.oath import TOTP

ISSUER = "NOF0 Control"
STEP_SECONDS = 30
DRIFT_STEPS = 1
"""How many steps the clock of a phone may be off, in each direction."""
SECRET_BYTES = 20
RECOVERY_CODES = 10
RECOVERY_BYTES = 10
_CODE = re.compile(r"[0-9]{6}")


def new_secret() -> bytes:
    return secrets.token_bytes(SECRET_BYTES)


def as_text(secret: bytes) -> str:
    """The secret as a person types it into an app: `JBSW Y3DP ...`."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def address_for_apps(secret: bytes, account: str) -> str:
    """What the QR code holds: the key URI that authenticator apps read."""
    asked = urlencode({"secret": base64.b32encode(secret).decode(), "issuer": ISSUER}, quote_via=quote)
    return f"otpauth://totp/{quote(ISSUER)}:{quote(account)}?{asked}"


def step_of(secret: bytes, code: str, *, now: float, after: int = -1) -> int | None:
    """The time step whose code this is, of the steps around `now` and later than `after`; None if it is of none."""
    typed = plain(code)
    if not _CODE.fullmatch(typed):
        return None
    totp = TOTP(secret, step=STEP_SECONDS)
    totp.time = now
    return int(totp.t()) if totp.verify(int(typed), tolerance=DRIFT_STEPS, min_t=after + 1) else None


def new_recovery_codes() -> list[str]:
    """`k3jd-92ma-...`, in letters and digits that are hard to mistake."""
    texts = (base64.b32encode(secrets.token_bytes(RECOVERY_BYTES)).decode().lower() for _ in range(RECOVERY_CODES))
    return ["-".join(text[start : start + 4] for start in range(0, len(text), 4)) for text in texts]


def digest_of(recovery_code: str) -> str:
    return hashlib.sha256(plain(recovery_code).encode()).hexdigest()


def plain(code: str) -> str:
    """Without the blanks and dashes that people type to read it more easily; full-width signs of Chinese and Japanese
    keyboards as those of ASCII."""
    return re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", code)).lower()
