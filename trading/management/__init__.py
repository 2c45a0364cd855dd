"""Commands about the trading record: parse, call a service, print the report."""
