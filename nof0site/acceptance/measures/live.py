"""Lines about the live store. Nothing here counts a read, or keeps a verdict."""

from __future__ import annotations

from django.conf import settings

from nof0site.acceptance.rules import Measured, corrected, failed, named, not_applicable, passed, passed_unless
from traders.schema.messages import TranslatableText, _
from trading.live.keys import KEYS, SMALL_BYTES
from trading.live.redis.layouts import PRESENT
from trading.live.upkeep import coverage, names, sizes
from trading.live.upkeep import status as live_status
from trading.live.upkeep import verify as live_verify
from trading.schema.live_store.verdicts import Difference

MOST_PATTERNS = 10
LESS_PCT = 25.0
COVERED_PCT = 99.0
_REBUILD = _("Run `manage.py livestore rebuild`, then `manage.py livestore verify`.")
_NO_VALUES = _("The live store is empty.")


def keys() -> Measured:
    """Ten patterns, and no key beside them."""
    seen = names.seen()
    patterns = {key.name for key in KEYS} & seen.patterns.keys()
    former = sizes.compared().former
    figure = _(
        "%(patterns)s of %(declared)s patterns in use, %(keys)s keys; the old layout: %(former)s for the same values.",
        patterns=len(patterns),
        declared=len(KEYS),
        keys=seen.keys,
        former=former.keys if former else "?",
    )
    if seen.mode != PRESENT:
        then = _("Finish the switch-over: `manage.py livestore cutover`, then `manage.py livestore cleanup`.")
        return failed(figure, then, _("The mode is %(mode)s.", mode=seen.mode))
    wrong = list(seen.strangers) if len(KEYS) <= MOST_PATTERNS else [*seen.strangers, *(key.name for key in KEYS)]
    return passed_unless(
        wrong,
        figure=figure,
        then=_(
            "Remove the named keys, or give their program a Redis database of its own: `manage.py livestore cleanup`."
        ),
        corrected_by=_("Ten patterns, as in the plan's own table: conversations are one list a trader."),
    )


def types() -> Measured:
    """Each key has its declared type: hashes, one sorted set, lists. No String is left."""
    seen = names.seen()
    figure = _("%(keys)s keys, each of the declared type.", keys=seen.keys)
    if seen.mistyped:
        figure = _("%(wrong)s of %(keys)s keys have another type.", wrong=len(seen.mistyped), keys=seen.keys)
    then = _(
        "Another program writes these keys. Give it a Redis database of its own, then `manage.py livestore rebuild`."
    )
    return passed_unless(seen.mistyped, figure=figure, then=then)


def memory() -> Measured:
    """The bytes of the stored values against those of the same values in the old encoding."""
    size = sizes.compared()
    less = size.less_pct
    if not size.values or size.former is None or less is None:
        return not_applicable(_("%(values)s values.", values=size.values), _nothing_to_compare(size.values))
    figure = _(
        "%(values)s values take %(bytes)s bytes; in the old encoding at least %(former)s: %(less)s %% less.",
        values=f"{size.values:,}",
        bytes=f"{size.present.bytes:,}",
        former=f"{size.former.bytes:,}",
        less=f"{less:.1f}",
    )
    if less >= LESS_PCT:
        return passed(figure)
    if settings.LIVE_STORE_PLAIN:
        return corrected(figure, _("LIVE_STORE_PLAIN keeps values uncompressed; merging keys alone saves little."))
    if not size.compressed:
        return not_applicable(
            figure, _("No value is large enough to be compressed (%(bytes)s bytes).", bytes=SMALL_BYTES)
        )
    return failed(figure, _("Look at `manage.py livestore status` for keys that are too large, and rebuild them."))


def _nothing_to_compare(values: int) -> TranslatableText:
    return _("There is no former layout to compare with.") if values else _NO_VALUES


def covered() -> Measured:
    """The share of the values which readers want that Redis has fresh now."""
    found = coverage.coverage()
    reads = live_status.reads_so_far()
    share = f"{reads.fresh_pct:.2f} %" if reads.fresh_pct is not None else _("none")
    figure = _(
        "Redis has %(fresh)s of %(wanted)s values fresh (%(pct)s %%). Of %(reads)s reads so far, prices"
        " included, fresh: %(share)s.",
        fresh=found.fresh,
        wanted=found.wanted,
        pct=f"{found.pct:.1f}",
        reads=f"{reads.total:,}",
        share=share,
    )
    if not found.wanted:
        return not_applicable(figure, _("There is no trader yet."))
    if found.pct > COVERED_PCT:
        return passed(figure)
    return failed(figure, _REBUILD, _("Not fresh: %(names)s.", names=named(found.missing)))


def equal() -> Measured:
    """Every value equals what PostgreSQL determines."""
    verdict = live_verify.looked()
    figure = _(
        "%(checked)s values compared with PostgreSQL: %(count)s differ.", checked=verdict.checked, count=verdict.count
    )
    return passed_unless([_place(one) for one in verdict.differences], figure=figure, then=_REBUILD)


def _place(one: Difference) -> str:
    return f"{one.key} {one.field}"
