"""What is inside each `detail` of the trading record, declared once: types, units and words. Plain Python."""
