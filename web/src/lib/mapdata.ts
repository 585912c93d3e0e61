// What a run puts on the map, as GeoJSON.

import type { Feature, FeatureCollection } from 'geojson'
import { circle } from './geo'
import type { Run, Step } from './reducer'

const RANK = { found: 0, looked: 1, candidate: 2, evidence: 3, answer: 4 }

export interface Drawn {
  points: FeatureCollection
  shapes: FeatureCollection
}

/** Points and shapes of the steps that are shown; `colour` gives a run's colour. */
export function drawn(runs: Run[], steps: Step[], colour: (run: string) => string): Drawn {
  const [points, shapes]: [Feature[], Feature[]] = [[], []]
  const answered = new Map(runs.map((run) => [run.id, run.answer]))
  for (const step of steps) {
    const shared = { step: step.id, colour: colour(step.run) }
    if (step.area) {
      const { south, west, north, east } = step.area
      const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
      shapes.push(feature({ type: 'Polygon', coordinates: [ring] }, { ...shared, kind: 'area', name: '' }))
    }
    for (const place of step.places) {
      const values = { ...shared, kind: place.kind, name: place.name, rank: RANK[place.kind], weight: place.weight ?? 0.5 }
      points.push(feature({ type: 'Point', coordinates: [place.lon, place.lat] }, values))
    }
    const answer = step.kind === 'answer' ? answered.get(step.run) : undefined
    if (answer?.radius_km) {
      const ring = circle(answer, Math.min(answer.radius_km, 8000))
      shapes.push(feature({ type: 'Polygon', coordinates: [ring] }, { ...shared, kind: 'radius', name: '' }))
    }
  }
  return { points: { type: 'FeatureCollection', features: points }, shapes: { type: 'FeatureCollection', features: shapes } }
}

function feature(geometry: Feature['geometry'], properties: Feature['properties']): Feature {
  return { type: 'Feature', geometry, properties }
}

export type Bounds = [west: number, south: number, east: number, north: number]

/** The box around positions with some room; undefined where there are none. */
export function boundsOf(positions: { lat: number; lon: number }[], km = 0): Bounds | undefined {
  if (!positions.length) return undefined
  const pad = Math.max(km / 111, 0.004)
  const lats = positions.map((one) => one.lat)
  const lons = positions.map((one) => one.lon)
  const clamp = (lat: number): number => Math.min(Math.max(lat, -84), 84)
  return [Math.min(...lons) - pad, clamp(Math.min(...lats) - pad), Math.max(...lons) + pad, clamp(Math.max(...lats) + pad)]
}
