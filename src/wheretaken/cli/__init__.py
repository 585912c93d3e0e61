"""The command line: thin commands over library functions.

`main` declares the commands and their options and imports nothing heavy, so that `--help` is instant; each
command's work is in a module of its own that is imported when the command runs.
"""
