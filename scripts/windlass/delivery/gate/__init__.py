"""Decides whether a release may come into an environment: evidence is gathered, judged without asking anybody, kept."""
