"""What the record adds to the page of a trader: positions, curve and figures, the effect of each change, decisions."""
