"""The one answer parser: what a model wrote -> `Answer` or `NoAnswer`.

`parse` reads what a careful person would read; `parse_strict` reads what the published metric reads. How much
`parse` had to trust is written in `Answer.repairs`, so that the two can be told apart afterwards.

- `sections` says which part of a text is the answer: no thoughts, no tool calls, `<answer>` before the rest
- `objects` reads the last object that holds a position, as strict JSON or else with `lenient`
- `prose` reads coordinates in running text, by label, hemisphere or as a bare pair
- `angles` reads one coordinate; `fields` knows the names of the fields in English and Chinese
- `strict` is the published metric

All of it takes time in proportion to the text, whatever the text is.
"""

from wheretaken.answers.model import Answer, Candidate, Evidence, NoAnswer, Repair
from wheretaken.answers.strict import parse_strict
from wheretaken.answers.tolerant import parse

__all__ = ["Answer", "Candidate", "Evidence", "NoAnswer", "Repair", "parse", "parse_strict"]
