"""Measuring: data sets, result files, the resumable runner, comparisons and the report.

Everything that was measured is a stream of `Result`s, one a photo, whoever wrote the file. Truth lives here
and nowhere below: nothing in this package hands it to a model, a tool or a verifier.
"""
