"""Makes a model of the island: `python -m wheretaken.testing.island DIRECTORY SKILL [BASE]`."""

import sys

from wheretaken.testing.island.model import main

main(*sys.argv[1:])
