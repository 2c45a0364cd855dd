"""Lines about configurations, their versions and the decisions under them."""

from __future__ import annotations

from nof0site.acceptance import queries
from nof0site.acceptance.rules import Measured, corrected, not_applicable, passed, passed_unless
from traders.models import ManagerConfig, TraderConfig
from traders.schema.messages import _
from traders.schema.paths import EXTRA, IGNORED, flatten
from traders.schema.settings.catalogue import FLEET_SETTINGS, TRADER_SETTINGS
from traders.schema.settings.declare import REQUIRED
from traders.schema.settings.fleet import FLEET_ID
from traders.schema.settings.stored import TRADER_COLUMNS
from traders.schema.settings.upgrade import lift_fleet_detail, lift_trader_detail
from traders.sync import writer as sync
from traders.versions.rules.errors import ConfigError
from trading.models import COUNTED, DecisionJournal
from trading.record.rules.errors import RecordError
from trading.replay import services as replays
from trading.replay.services import ReplayVerdict

REPLAYED = 20


def leaves_stored() -> Measured:
    """Every leaf that manager.yaml declared is stored, and every trader has every required setting."""
    stored = {row.pk: _stored(row) for row in TraderConfig.objects.all()}
    fleet = ManagerConfig.objects.first()
    if fleet:
        stored[FLEET_ID] = frozenset(flatten({"detail": lift_fleet_detail(fleet.detail)}))
    declared = sync.declared(list(stored))
    required = {path for path, setting in TRADER_SETTINGS.items() if setting.default is REQUIRED}
    wrong = []
    leaves = 0
    for name, paths in stored.items():
        wanted = {path for path in declared.get(name, ()) if not path.startswith(f"{EXTRA}.")}
        leaves += len(wanted)
        wanted |= set() if name == FLEET_ID else required - IGNORED
        wrong += [f"{name}: {path}" for path in wanted - paths]
    figure = _(
        "%(settings)s settings are declared; %(configs)s configurations store all %(leaves)s leaves of the last synced"
        " file.",
        settings=len(TRADER_SETTINGS) + len(FLEET_SETTINGS),
        configs=len(stored),
        leaves=leaves,
    )
    then = _("Run `manage.py sync_traders --check`, then without it; `config_at` shows what is stored.")
    return passed_unless(wrong, figure=figure, then=then)


def _stored(row: TraderConfig) -> frozenset[str]:
    whole = {name: getattr(row, name) for name in TRADER_COLUMNS} | {"detail": lift_trader_detail(row.detail)}
    return frozenset(flatten(whole))


def journal_versions() -> Measured:
    """Every decision names the version that took it. One from before the trader's first version has none to name."""
    decisions = DecisionJournal.objects.filter(COUNTED).count()
    without = queries.without_version()
    late = [row for row in without if row.late]
    early = sum(row.decisions - row.late for row in without)
    named_by = decisions - sum(row.decisions for row in without)
    figure = _("%(named)s of %(count)s decisions name their version.", named=named_by, count=decisions)
    if late:
        wrong = [f"{row.trader_id} #{row.first_cycle} ({row.late})" for row in late]
        then = _(
            "Let the engine that wrote these cycles send `config_version` (docs/sql.md). Rows are never changed:"
            " correct them with `manage.py correct_record`, or set them aside."
        )
        return passed_unless(wrong, figure=figure, then=then)
    if not decisions:
        return not_applicable(figure, _("No decision is recorded yet."))
    if early:
        why = _("%(count)s decisions are older than the first version of their trader.", count=early)
        return corrected(figure, why)
    return passed(figure)


def replayed() -> Measured:
    """A decision of each of the newest versions is decided again with the settings and prompt texts of that time."""
    chosen = queries.decided(REPLAYED)
    if not chosen:
        return not_applicable(_("0 decisions replayed."), _("No decision under a version is recorded yet."))
    wrong: list[str] = []
    verdicts = dict.fromkeys(ReplayVerdict, 0)
    for row in chosen:
        name = f"{row.trader_id} #{row.decision_id} v{row.version}"
        try:
            found = replays.replay(row.trader_id, row.decision_id)
        except (RecordError, ConfigError) as refused:
            wrong.append(f"{name}: {refused}")
            continue
        verdicts[found.verdict] += 1
        if found.config is None or found.config.version != row.version:
            wrong.append(name)
        wrong += [f"{name}: {one.path}" for one in found.prompts if one.sha256 and one.text is None]
    figure = _(
        "%(count)s decisions of %(versions)s versions replayed under their own version: %(agree)s agree, %(differ)s"
        " differ, %(incomplete)s lack data of that time.",
        count=len(chosen),
        versions=len({(row.trader_id, row.version) for row in chosen}),
        agree=verdicts[ReplayVerdict.AGREES],
        differ=verdicts[ReplayVerdict.DIFFERS],
        incomplete=verdicts[ReplayVerdict.INCOMPLETE],
    )
    then = _("Look at the replay of the named decisions: `manage.py replay_decision`. A prompt text comes with a sync.")
    return passed_unless(wrong, figure=figure, then=then)
