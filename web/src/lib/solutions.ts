// `solutions.jsonl`, as `wheretaken.sampling.solution` writes it: what the runs of a photo came to.

import type { Rested } from './api'

interface Solution {
  runs: { id: string; grounding?: { kind: Rested['grounding'] }; lat?: number | null }[]
  verdict: { chosen: number | null }
  evidence?: { holds: boolean }[]
}

/** Note what a solution says that the answers of its runs rest on; the evidence of the chosen one was looked into. */
export function note(known: Map<string, Rested>, line: unknown): void {
  const { runs, verdict, evidence } = line as Solution
  runs.forEach((run, index) => {
    const holds = index === verdict.chosen ? (evidence ?? []).map((one) => one.holds) : []
    // What has no answer rests on nothing without being ungrounded.
    if (typeof run.lat === 'number') known.set(run.id, { grounding: run.grounding?.kind ?? 'none', holds })
  })
}
