"""What windlass costs, measured against what one would use without it: `python -m bench` writes docs/benchmarks.md."""
