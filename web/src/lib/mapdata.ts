// What runs put on the map.

import type { Decided } from './api'
import { circle, mercator, type LatLon } from './geo'
import type { Area, PlaceKind, Run, Step } from './reducer'

export type MarkKind = PlaceKind | 'decided' | 'corrected'

/** A place, x and y in Mercator from 0 to 1. */
export interface Mark {
  step: string
  colour: string
  kind: MarkKind
  name: string
  x: number
  y: number
  rank: number
  weight: number
}

/**
 * The radius of an answer (`decided`: of the one that several runs came to, `own`: of a run beside it), or the
 * area of a map picture; its ring and its sides in Mercator from 0 to 1.
 */
export interface Shape {
  step: string
  colour: string
  kind: 'radius' | 'decided' | 'own' | 'area'
  name: string
  ring: [number, number][]
  west: number
  east: number
  north: number
  south: number
}

/** A map picture that lies where it belongs. */
export interface Sheet {
  url: string
  x: number
  y: number
  width: number
  height: number
  dim: boolean
}

export interface Drawn {
  marks: Mark[]
  shapes: Shape[]
  sheets: Sheet[]
}

const RANK = { found: 0, looked: 1, candidate: 2, evidence: 3, answer: 4, decided: 5, corrected: 6 }
/** Map pictures that lie on the map at a time: the latest are the closest looks. */
const MOST_SHEETS = 12

export interface Drawing {
  runs: Run[]
  steps: Step[]
  /** The colour of a run. */
  colour: (run: string) => string
  pictureUrl: (sha256: string) => string | undefined
  dim: boolean
  correction: LatLon | null | undefined
  /** What several runs came to; nothing where there is one. */
  decided?: Decided | null | undefined
}

/** Marks, shapes and pictures of the steps that are shown, in the order in which they are drawn. */
export function drawn({ runs, steps, colour, pictureUrl, dim, correction, decided }: Drawing): Drawn {
  const made: Drawn = { marks: [], shapes: [], sheets: sheets(steps, pictureUrl, dim) }
  const answered = new Map(runs.map((run) => [run.id, run.answer]))
  for (const step of steps) {
    const shared = { step: step.id, colour: colour(step.run) }
    if (step.area) {
      const { south, west, north } = step.area
      const east = eastOf(step.area)
      const ring = [[south, west], [south, east], [north, east], [north, west]] as const
      made.shapes.push(shape(ring.map(([lat, lon]) => mercator(lat, lon)), { ...shared, kind: 'area', name: '' }))
    }
    for (const place of step.places) {
      const [x, y] = mercator(place.lat, place.lon)
      const { kind, name } = place
      const mark = { ...shared, name, x, y, weight: place.weight ?? 0.5 }
      made.marks.push({ ...mark, kind, rank: RANK[kind] })
      if (kind === 'answer' && step.run === decided?.run) made.marks.push({ ...mark, kind: 'decided', rank: RANK.decided })
    }
    const answer = step.kind === 'answer' ? answered.get(step.run) : undefined
    if (answer?.radius_km) made.shapes.push(around(answer, answer.radius_km, { ...shared, kind: decided?.run ? 'own' : 'radius', name: '' }))
    if (answer && decided?.radius_km && step.run === decided.run) {
      made.shapes.push(around(answer, decided.radius_km, { ...shared, kind: 'decided', name: '' }))
    }
  }
  if (correction) {
    const [x, y] = mercator(correction.lat, correction.lon)
    made.marks.push({ step: '', colour: '#b3261e', kind: 'corrected', name: '', x, y, rank: RANK.corrected, weight: 1 })
  }
  made.marks.sort((a, b) => a.rank - b.rank)
  return made
}

/** The latest map pictures, the closest look on top; one that several runs saw is drawn once. */
function sheets(steps: Step[], pictureUrl: Drawing['pictureUrl'], dim: boolean): Sheet[] {
  const seen = new Map<string, Sheet>()
  for (const { area } of steps) {
    const url = area?.picture && pictureUrl(area.picture.sha256)
    if (!area || !url) continue
    const [[x, y], [right, bottom]] = [mercator(area.north, area.west), mercator(area.south, eastOf(area))]
    const key = `${url} ${x} ${y}`
    seen.delete(key)
    seen.set(key, { url, x, y, width: right - x, height: bottom - y, dim })
  }
  return [...seen.values()].slice(-MOST_SHEETS).sort((a, b) => b.height - a.height)
}

/** A side that is east of the other one, also where the date line is between them. */
export function eastOf({ west, east }: Area): number {
  return east < west ? east + 360 : east
}

function around(at: LatLon, km: number, more: Parameters<typeof shape>[1]): Shape {
  return shape(circle(at, Math.min(km, 8000)).map(([lon, lat]) => mercator(lat, lon)), more)
}

function shape(ring: [number, number][], more: Pick<Shape, 'step' | 'colour' | 'kind' | 'name'>): Shape {
  const [xs, ys] = [ring.map(([x]) => x), ring.map(([, y]) => y)]
  return { ...more, ring, west: Math.min(...xs), east: Math.max(...xs), north: Math.min(...ys), south: Math.max(...ys) }
}

export type Bounds = [west: number, south: number, east: number, north: number]

/** The box around positions with some room; undefined where there are none. */
export function boundsOf(positions: LatLon[], km = 0): Bounds | undefined {
  if (!positions.length) return undefined
  const pad = Math.max(km / 111, 0.004)
  const lats = positions.map((one) => one.lat)
  const lons = positions.map((one) => one.lon)
  const clamp = (lat: number): number => Math.min(Math.max(lat, -84), 84)
  // Meridians draw together: of the same distance there are more degrees.
  const aside = Math.min(pad / Math.cos((Math.max(...lats.map(Math.abs)) * Math.PI) / 180), 179)
  return [Math.min(...lons) - aside, clamp(Math.min(...lats) - pad), Math.max(...lons) + aside, clamp(Math.max(...lats) + pad)]
}
