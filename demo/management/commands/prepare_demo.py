"""Makes the demo's fleet: the first step of `make demo`, before the site imports the declared fleet."""

from __future__ import annotations

from typing import Any

from django.utils import timezone

from demo import services
from demo.paper import hire_paper_traders
from demo.sample.plan import usual_plan
from traders.management.refusal import RefusingCommand, refusals
from trading.management.counted import counted


class Command(RefusingCommand):
    help = "Make the demo's accounts, fleet and manager.yaml, each unless it is there."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            plan = usual_plan(timezone.now())
            if not services.is_made():
                self.stdout.write("Making a sample fleet.")
                services.hire(plan.start)
                self.stdout.write(f"Made the sample fleet: {counted(services.generate(plan))}.")
            services.quote(plan)
            if made := hire_paper_traders():
                self.stdout.write(f"Added {' and '.join(made)}, which the manager runs on paper.")
            if path := services.declare():
                self.stdout.write(f"Declared it in {path}.")
