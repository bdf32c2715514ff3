"""The command line: one module per command, each of which loads, decides, does and reports."""

import gc

gc.set_threshold(50_000)  # imports make many objects and no garbage: looking for it every 700 takes a tenth of a lint
