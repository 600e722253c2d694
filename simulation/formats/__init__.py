"""Agencies' own layouts, one module a format: from the simulation's rows to bytes. No chance, no files."""
