"""Shared, point-in-time features: LazyFrame in, LazyFrame out; no IO, no clock, no orchestrator."""
