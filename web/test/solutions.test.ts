import { describe, expect, it } from 'vitest'
import type { Rested } from '../src/lib/api'
import { note } from '../src/lib/solutions'

describe('a solution', () => {
  it('says what the answers of its runs rest on, and what holds of the chosen one', () => {
    const known = new Map<string, Rested>()
    const run = { lat: 60, grounding: { kind: 'map' as const } }
    const runs = [{ ...run, id: 'a' }, { ...run, id: 'b', grounding: { kind: 'place' as const } }, { id: 'c', lat: null }]
    note(known, { runs, verdict: { chosen: 1 }, evidence: [{ holds: true }, { holds: false }] })
    expect(Object.fromEntries(known)).toEqual({
      a: { grounding: 'map', holds: [] },
      b: { grounding: 'place', holds: [true, false] },
    })
  })

  it('replaces what an earlier one said', () => {
    const known = new Map<string, Rested>()
    for (const kind of ['none', 'clue'] as const) note(known, { runs: [{ id: 'a', lat: 1, grounding: { kind } }], verdict: { chosen: null } })
    expect(known.get('a')?.grounding).toBe('clue')
  })
})
