"""Builds and warms a toy model: `python -m wheretaken.testing.toy_model DIRECTORY [--moe]`."""

from wheretaken.testing.toy_model.warm import main

main()
