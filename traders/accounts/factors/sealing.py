"""Encrypts secrets of second factors with a key derived from SECRET_KEY, so that a copy of the database holds none."""

from __future__ import annotations

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# Another purpose gets another key from the same SECRET_KEY.
_PURPOSE = b"nof0 second factor"


class FactorUnreadable(Exception):
    """The secret was encrypted with a SECRET_KEY that is not known any more."""


def seal(secret: bytes) -> str:
    return _fernet().encrypt(secret).decode()


def unseal(text: str) -> bytes:
    """Raises FactorUnreadable. Earlier keys in SECRET_KEY_FALLBACKS still open what they sealed."""
    try:
        return _fernet().decrypt(text.encode())
    except InvalidToken as error:
        raise FactorUnreadable from error


def _fernet() -> MultiFernet:
    return MultiFernet([Fernet(_key(one)) for one in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(secret_key: str) -> bytes:
    derived = HKDF(algorithm=SHA256(), length=32, salt=None, info=_PURPOSE).derive(secret_key.encode())
    return base64.urlsafe_b64encode(derived)
