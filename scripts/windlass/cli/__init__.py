"""The command line: one module per command, each of which loads, decides, does and reports."""
