"""The record spread over the servers of a Citus cluster by trader: what plain PostgreSQL does in triggers there."""
