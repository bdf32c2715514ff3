"""What an environment was: states, ledger and what both tell of any moment."""
