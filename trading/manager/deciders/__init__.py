"""Who decides: one module for each kind of decider, with a function `decider` (docs/providers.md)."""
