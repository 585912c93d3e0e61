// A table of results: which rows are shown in which order, and the curve of errors.

import type { Table } from './api'

export type Column = 'image' | 'km' | 'truth' | 'answer' | 'radius' | 'status' | 'change'
export type Filter = 'all' | 'unparsed' | 'ungrounded' | 'better' | 'worse'

export interface Sorting {
  column: Column
  down: boolean
}

/** For each row the error of the other run on the same photo; undefined where it has none. */
export function otherErrors(table: Table, other: Table | undefined): (number | null | undefined)[] {
  if (!other) return []
  const errors = new Map(other.id.map((id, index) => [id, other.km[index]]))
  return table.id.map((id) => errors.get(id))
}

/** Negative where this run is better; of a photo that only one has answered, by as much as there can be. */
export function change(km: number | null | undefined, other: number | null | undefined): number {
  const [a, b] = [km ?? 20040, other === undefined ? undefined : (other ?? 20040)]
  return b === undefined ? 0 : a - b
}

/** The rows that a filter keeps, in the order of the table. */
export function filtered(table: Table, filter: Filter, others: (number | null | undefined)[]): number[] {
  return table.id.map((_, index) => index).filter((row) => {
    const by = change(table.km[row], others[row])
    switch (filter) {
      case 'unparsed':
        return table.status[row] !== 'answered'
      case 'ungrounded':
        return table.status[row] === 'answered' && table.grounding[row] === 'none'
      case 'better':
        return by < 0
      case 'worse':
        return by > 0
      default:
        return true
    }
  })
}

export function sorted(table: Table, rows: number[], sorting: Sorting, others: (number | null | undefined)[]): number[] {
  const key = keys(table, sorting.column, others)
  const sign = sorting.down ? -1 : 1
  return rows.toSorted((a, b) => {
    const [x, y] = [key(a), key(b)]
    const order = typeof x === 'number' && typeof y === 'number' ? x - y : String(x).localeCompare(String(y))
    return sign * order || a - b
  })
}

function keys(table: Table, column: Column, others: (number | null | undefined)[]): (row: number) => number | string {
  switch (column) {
    case 'km':
      return (row) => table.km[row] ?? Number.MAX_VALUE
    case 'radius':
      return (row) => table.radius_km[row] ?? Number.MAX_VALUE
    case 'change':
      return (row) => change(table.km[row], others[row])
    case 'truth':
      return (row) => table.truth_name[row] ?? ''
    case 'answer':
      return (row) => table.answer_name[row] ?? ''
    case 'status':
      return (row) => `${table.status[row] ?? ''} ${table.grounding[row] ?? ''}`
    default:
      return (row) => table.image[row] || table.id[row] || ''
  }
}

/** Distances of the curve in kilometres, evenly spaced in their logarithm. */
export const CURVE_KM = Array.from({ length: 91 }, (_, n) => 10 ** (-2 + (n * 6.3) / 90))

/** The share of all photos whose answer is within each of `CURVE_KM`; a photo without an answer is never. */
export function cumulative(table: Table): number[] {
  const errors = table.km.filter((km): km is number => km !== null).sort((a, b) => a - b)
  let at = 0
  return CURVE_KM.map((km) => {
    while (at < errors.length && (errors[at] ?? 0) < km) at++
    return table.km.length ? at / table.km.length : 0
  })
}

export function median(table: Table): number | null {
  const all = table.km.map((km) => km ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b)
  const middle = all[Math.floor((all.length - 1) / 2)]
  return middle === undefined || !Number.isFinite(middle) ? null : middle
}

export function within(table: Table, km: number): number {
  return table.km.length ? table.km.filter((one) => one !== null && one < km).length / table.km.length : 0
}

export const ERROR_COLOURS = ['#1a9850', '#91bf3c', '#e8b80c', '#e07b1f', '#c62f2d', '#7a7f87'] as const

/** Colours as the report has them: < 2, 25, 200, 750 km, farther, no answer. */
export function errorColour(km: number | null | undefined): string {
  if (km === null || km === undefined) return ERROR_COLOURS[5]
  return ERROR_COLOURS[[2, 25, 200, 750].filter((edge) => km >= edge).length as 0 | 1 | 2 | 3 | 4]
}
