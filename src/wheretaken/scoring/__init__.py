"""How good answers are: the reward ladder, Acc@d, GeoScore, and how sure one can be of such numbers.

Everything here works on distances in kilometres between answer and truth; a photo without an answer is at an
infinite distance, so that it stays in the denominator. `ladder` needs nothing but Python and serves as the
reward in training; `intervals` and `tally` need numpy.
"""

from wheretaken.scoring.ladder import ACC_KM, IM2GPS_KM, LADDER, geoscore, label, reward

__all__ = ["ACC_KM", "IM2GPS_KM", "LADDER", "geoscore", "label", "reward"]
