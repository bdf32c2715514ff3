"""How well an environment is delivered to: DORA's four keys, from its ledger and its verdicts."""
