import { describe, expect, it } from 'vitest'
import type { Table } from '../src/lib/api'
import { cumulative, CURVE_KM, errorColour, filtered, median, otherErrors, sorted, within, type Filter, type Sorting } from '../src/lib/evaluation'
import { circle, distanceKm } from '../src/lib/geo'

function table(km: (number | null)[]): Table {
  const all = <T>(value: T): T[] => km.map(() => value)
  return {
    name: 't', id: km.map((_, n) => `p${n}`), image: km.map((_, n) => `p${n}.jpg`), detail: all(''), km,
    status: km.map((one) => (one === null ? 'unparsed' : 'answered')), truth: all<[number, number] | null>([0, 0]), truth_name: all(''),
    answer: all(null), answer_name: all(''), radius_km: all(null),
    grounding: km.map((one) => (one === null ? null : one < 100 ? 'place' : 'none')), runs: all([]),
  }
}

function rowsOf(of: Table, filter: Filter, sorting: Sorting, others: (number | null | undefined)[]): number[] {
  return sorted(of, filtered(of, filter, others), sorting, others)
}

describe('a table of results', () => {
  const mine = table([5, null, 300, 0.2])

  it('is sorted by error, with what has no answer as farthest', () => {
    expect(rowsOf(mine, 'all', { column: 'km', down: true }, [])).toEqual([1, 2, 0, 3])
    expect(rowsOf(mine, 'all', { column: 'km', down: false }, [])).toEqual([3, 0, 2, 1])
  })

  it('is filtered', () => {
    const sorting = { column: 'image' as const, down: false }
    expect(rowsOf(mine, 'unparsed', sorting, [])).toEqual([1])
    expect(rowsOf(mine, 'ungrounded', sorting, [])).toEqual([2])
    const others = otherErrors(mine, { ...table([4, 9, 400]), id: ['p0', 'p1', 'p2'] })
    expect(others).toEqual([4, 9, 400, undefined])
    expect(rowsOf(mine, 'better', sorting, others)).toEqual([2])
    expect(rowsOf(mine, 'worse', sorting, others)).toEqual([0, 1])
  })

  it('counts every photo, whatever became of it', () => {
    expect(within(mine, 25)).toBe(0.5)
    expect(cumulative(mine).at(-1)).toBe(0.75)
    expect(cumulative(mine)[CURVE_KM.findIndex((km) => km > 1)]).toBe(0.25)
    expect(median(mine)).toBe(5)
    expect(median(table([null, null, 1]))).toBeNull()
    expect(errorColour(null)).not.toBe(errorColour(20000))
  })
})

describe('geometry', () => {
  it('draws circles of their radius', () => {
    for (const [lon, lat] of circle({ lat: 60, lon: 25 }, 100, 8)) {
      expect(distanceKm({ lat: 60, lon: 25 }, { lat, lon })).toBeCloseTo(100, 6)
    }
  })
})
