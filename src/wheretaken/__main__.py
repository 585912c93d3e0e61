"""`python -m wheretaken` is the command line."""

from wheretaken.cli.main import run

run()
