"""The tables of the manager: the cycle each trader is in, and the orders it sent. Imported by `trading.models`."""

from __future__ import annotations

from decimal import Decimal

from django.db import models
from django.db.models.functions import Now

from traders.constraints import moment, number
from traders.models import TraderConfig
from traders.schema.symbols import SYMBOL_FORM
from trading.columns import SIDES, detail_column, trader_column
from trading.fields import NumericField
from trading.schema.leaf import LARGEST

CYCLE_STATES = ["asked", "answered", "done"]
ORDER_KINDS = ["entry", "exit", "stop", "target"]
ORDER_STATES = ["sent", "resting", "filled", "cancelled", "refused"]


class ManagerCycle(models.Model):
    """The cycle that a trader is in, or was in last. It is written before the model is asked, so that a manager which
    starts again knows what the one before it was about to do."""

    trader = models.OneToOneField(
        TraderConfig, on_delete=models.PROTECT, primary_key=True, related_name="manager_cycle"
    )
    number = models.IntegerField()
    config_version = models.IntegerField()
    state = models.TextField()
    opened_at = models.DateTimeField()
    # What the model saw, and its answer once there is one: a `DecisionDetail`. Emptied when the cycle is done.
    detail = detail_column()

    class Meta:
        db_table = "manager_cycles"
        default_permissions = ("view",)
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=CYCLE_STATES), name="manager_cycles_state"),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="manager_cycles_number_from_1"),
            moment("manager_cycles", "opened_at"),
        ]

    def __str__(self) -> str:
        return f"{self.pk} {self.number}"


class ManagerOrder(models.Model):
    """An order of the manager, and what became of it. The paper exchange keeps its orders here and nowhere else.

    `client_order_id` is a hash of trader, cycle, symbol and action, which stand beside it. `is_recorded`: positions and
    trades hold its fill, or there was none.
    """

    pk = models.CompositePrimaryKey("trader_id", "client_order_id")
    trader = trader_column("manager_orders")
    client_order_id = models.TextField()
    cycle = models.IntegerField()
    symbol = models.TextField()
    action = models.TextField()
    kind = models.TextField()
    side = models.TextField()
    style = models.TextField()
    quantity = NumericField()
    leverage = NumericField()
    slippage_bps = NumericField()
    limit_price = NumericField(null=True, blank=True)
    trigger_price = NumericField(null=True, blank=True)
    state = models.TextField()
    reason = models.TextField(db_default="")
    fill_price = NumericField(null=True, blank=True)
    fill_quantity = NumericField(null=True, blank=True)
    commission = NumericField(null=True, blank=True)
    filled_at = models.DateTimeField(null=True, blank=True)
    is_liquidation = models.BooleanField(db_default=False)
    is_recorded = models.BooleanField(db_default=False)
    sent_at = models.DateTimeField()
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        db_table = "manager_orders"
        default_permissions = ("view",)
        indexes = [
            # What still moves: WHERE trader_id = ? AND NOT is_recorded
            models.Index(
                fields=["trader", "symbol"], condition=models.Q(is_recorded=False), name="idx_manager_orders_moving"
            ),
        ]
        constraints = [
            models.CheckConstraint(condition=models.Q(kind__in=ORDER_KINDS), name="manager_orders_kind"),
            models.CheckConstraint(condition=models.Q(state__in=ORDER_STATES), name="manager_orders_state"),
            models.CheckConstraint(condition=models.Q(side__in=SIDES), name="manager_orders_side"),
            models.CheckConstraint(
                condition=models.Q(client_order_id__regex="^[0-9a-f]{32}$"), name="manager_orders_client_order_id"
            ),
            models.CheckConstraint(
                condition=~models.Q(state="filled")
                | models.Q(
                    fill_price__isnull=False,
                    fill_quantity__isnull=False,
                    commission__isnull=False,
                    filled_at__isnull=False,
                ),
                name="manager_orders_fill_is_whole",
            ),
            models.CheckConstraint(
                condition=models.Q(kind__in=["entry", "exit"]) | models.Q(trigger_price__isnull=False),
                name="manager_orders_trigger_of_what_rests",
            ),
            models.CheckConstraint(
                # One of which nothing is left to do may name what was stored before the rule.
                condition=models.Q(is_recorded=True) | models.Q(symbol__regex=SYMBOL_FORM),
                name="manager_orders_symbol_form",
            ),
            moment("manager_orders", "sent_at"),
            moment("manager_orders", "filled_at"),
            moment("manager_orders", "updated_at"),
            *(
                number("manager_orders", column, Decimal(0), LARGEST)
                for column in ("quantity", "leverage", "slippage_bps", "limit_price", "trigger_price")
            ),
            *(number("manager_orders", column, Decimal(0), LARGEST) for column in ("fill_price", "fill_quantity")),
            number("manager_orders", "commission", -LARGEST, LARGEST),
        ]

    def __str__(self) -> str:
        return f"{self.trader_id} {self.client_order_id}"
