// Runs for other programs that show maps. Formats: GeoJSON (RFC 7946) and KML 2.2 (OGC 07-147r2).

import type { Feature, Geometry, Position } from 'geojson'
import type { Job } from './api'
import { circle } from './geo'
import { eastOf } from './mapdata'
import type { Area, Place, Run, Step } from './reducer'

interface Item {
  geometry: Geometry
  kind: Place['kind'] | 'radius' | 'area' | 'correction'
  name: string
  run: string
  step: string
  source: string
}

/** Everything that runs put on the map, the answers first. */
function items(runs: Run[], job: Job | undefined): Item[] {
  const found: Item[] = []
  for (const run of runs) {
    for (const step of [...run.steps].reverse()) found.push(...itemsOf(run, step))
  }
  if (job?.correction) {
    const { lat, lon } = job.correction
    const geometry = { type: 'Point' as const, coordinates: [lon, lat] }
    found.unshift({ geometry, kind: 'correction', name: 'corrected by hand', run: '', step: '', source: '' })
  }
  return found
}

function itemsOf(run: Run, step: Step): Item[] {
  const shared = { run: run.id, step: step.id, source: step.source }
  const made: Item[] = [...step.places].reverse().map((place) => ({
    ...shared,
    geometry: { type: 'Point', coordinates: [place.lon, place.lat] },
    kind: place.kind,
    name: place.name,
  }))
  const answer = step.kind === 'answer' ? run.answer : undefined
  if (answer?.radius_km) {
    const name = `${answer.radius_km} km`
    // Rings go anticlockwise around what they hold.
    const ring = circle(answer, Math.min(answer.radius_km, 8000)).reverse()
    made.push({ ...shared, geometry: { type: 'Polygon', coordinates: [ring] }, kind: 'radius', name })
  }
  if (step.area) made.push({ ...shared, geometry: { type: 'Polygon', coordinates: [around(step.area)] }, kind: 'area', name: step.tool })
  return made
}

function around(area: Area): Position[] {
  const [west, south, east, north] = [area.west, area.south, eastOf(area), area.north]
  return [[west, south], [east, south], [east, north], [west, north], [west, south]]
}

export function geojson(runs: Run[], job: Job | undefined): string {
  const features: Feature[] = items(runs, job).map(({ geometry, ...properties }) => ({ type: 'Feature', geometry, properties }))
  return JSON.stringify({ type: 'FeatureCollection', features }, null, 1)
}

/** Colours are aabbggrr, as KML has them. */
const KML_COLOURS: Partial<Record<Item['kind'], string>> = {
  answer: 'ff848f0c', candidate: 'ffd86f3f', evidence: 'ff5ed7ff', correction: 'ff1e26b3', looked: 'ffb0b0b0', found: 'ff909090',
}

export function kml(runs: Run[], job: Job | undefined): string {
  const all = items(runs, job)
  const styles = Object.entries(KML_COLOURS).map(
    ([kind, colour]) => `<Style id="${kind}"><IconStyle><color>${colour}</color></IconStyle></Style>`,
  )
  const lines = `<Style id="shape"><LineStyle><color>ff848f0c</color><width>2</width></LineStyle><PolyStyle><color>1a848f0c</color></PolyStyle></Style>`
  const folders = ['', ...runs.map((run) => run.id)].map((run) => {
    const marks = all.filter((item) => item.run === run).map(placemark)
    return marks.length ? `<Folder><name>${escape(run || 'correction')}</name>\n${marks.join('\n')}\n</Folder>` : ''
  })
  return (
    `<?xml version="1.0" encoding="UTF-8"?>\n<kml xmlns="http://www.opengis.net/kml/2.2"><Document><name>wheretaken</name>\n` +
    `${styles.join('\n')}\n${lines}\n${folders.filter(Boolean).join('\n')}\n</Document></kml>\n`
  )
}

function placemark(item: Item): string {
  const said = [item.kind, item.step, item.source].filter(Boolean).join(', ')
  const style = item.geometry.type === 'Polygon' ? 'shape' : item.kind
  return (
    `<Placemark><name>${escape(item.name || item.kind)}</name><description>${escape(said)}</description>` +
    `<styleUrl>#${style}</styleUrl>${shapeKml(item.geometry)}</Placemark>`
  )
}

function shapeKml(geometry: Geometry): string {
  const text = (all: Position[]): string => all.map(([lon, lat]) => `${lon},${lat},0`).join(' ')
  if (geometry.type === 'Point') return `<Point><coordinates>${text([geometry.coordinates])}</coordinates></Point>`
  if (geometry.type !== 'Polygon') return ''
  const ring = text(geometry.coordinates[0] ?? [])
  return `<Polygon><outerBoundaryIs><LinearRing><coordinates>${ring}</coordinates></LinearRing></outerBoundaryIs></Polygon>`
}

export function escape(text: string): string {
  const codes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  // Control characters may stand in no XML.
  return text.replace(/[\x00-\x08\x0b\x0c\x0e-\x1f]/g, '').replace(/[&<>"']/g, (one) => codes[one] ?? one)
}
