"""Budgets of DESIGN 7 and what this machine does, in one run. `python -m tests.bench`."""
