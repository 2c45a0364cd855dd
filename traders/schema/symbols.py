"""What a symbol is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

from traders.schema.messages import _

SYMBOL_PATTERN = re.compile(r"[A-Z0-9][A-Z0-9._:/-]{0,31}")
SYMBOL_RULE = _("1 to 32 capital letters, digits and '._:/-', beginning with a letter or digit")


def _symbol(text: str) -> str:
    if not SYMBOL_PATTERN.fullmatch(text):
        raise ValueError(_("must be %(right)s", right=SYMBOL_RULE))
    return text


Symbol = Annotated[str, AfterValidator(_symbol)]
