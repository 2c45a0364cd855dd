"""Takes the sample fleet away again, and nothing else."""

from __future__ import annotations

from typing import Any

from traders.management.refusal import RefusingCommand, refusals
from trading.management.counted import counted
from trading.services import sample


class Command(RefusingCommand):
    help = "Remove the traders that generate_sample made, with everything they have. All of it or nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        with refusals():
            removed = sample.remove()
        self.stdout.write(f"Removed the sample: {counted(removed)}." if removed else "There is no sample.")
