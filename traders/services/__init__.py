"""Use cases of the control plane. Each reads as check, lock, decide, write; locks and SQL are the repositories'."""
