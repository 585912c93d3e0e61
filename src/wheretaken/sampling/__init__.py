"""Several runs of one photo, and the one answer that comes of them.

Runs are candidates; a verifier chooses among them. It never averages positions: the answer is always one that
a run gave and could have checked on a map.
"""
