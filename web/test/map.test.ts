import { describe, expect, it } from 'vitest'
import type { Decided, Job } from '../src/lib/api'
import { circle, mercator } from '../src/lib/geo'
import { escape, geojson, kml } from '../src/lib/geoexports'
import { boundsOf, drawn, eastOf } from '../src/lib/mapdata'
import { draft, newRun, type Run, type Step } from '../src/lib/reducer'

const PICTURE = { mime: 'image/png', sha256: 'a'.repeat(64), width: 500, height: 500 }

function run(): Run {
  const step = { id: 'r/1', run: 'r', number: 1, kind: 'answer', source: 'OSM', tool: '', places: [], area: undefined } as unknown as Step
  const answer = { lat: 60, lon: 25, city: '', country: '', radius_km: 2, confidence: null, evidence: [], candidates: [] }
  return {
    ...newRun('r'),
    answer,
    steps: [
      { ...step, kind: 'call', tool: 'road_map', area: { south: -1, west: 179, north: 1, east: -179, picture: PICTURE } },
      { ...step, id: 'r/2', number: 2, places: [{ kind: 'found', lat: 60.1, lon: 25, name: 'A & B' }, { kind: 'answer', lat: 60, lon: 25, name: 'here' }] },
    ],
  }
}

const job = { correction: { lat: 60.01, lon: 25.01 } } as Job

describe('what is drawn over the map', () => {
  const made = drawn({ runs: [run()], steps: run().steps, colour: () => '#123456', pictureUrl: () => '/p', dim: false, correction: job.correction })

  it('lies in Mercator where it belongs', () => {
    expect(mercator(0, 0)).toEqual([0.5, 0.5])
    expect(mercator(85.0511287798066, 180)[1]).toBeCloseTo(0, 5)
    // EPSG:3857 of 60 N 25 E: 2782987.27, 8399737.89 m in a world of 40075016.69 m.
    const [x, y] = mercator(60, 25)
    expect((x - 0.5) * 40075016.685578).toBeCloseTo(2782987.27, 1)
    expect((0.5 - y) * 40075016.685578).toBeCloseTo(8399737.89, 1)
  })

  it('has the most telling marks on top, and pictures that cross the date line in one piece', () => {
    expect(made.marks.map((mark) => mark.kind)).toEqual(['found', 'answer', 'corrected'])
    expect(made.shapes.map((shape) => shape.kind)).toEqual(['area', 'radius'])
    expect(made.sheets[0]?.width).toBeCloseTo(2 / 360, 9)
    expect(eastOf({ south: 0, west: 170, north: 1, east: -170, picture: undefined })).toBe(190)
  })

  it('has a picture once that several runs saw, and twice where it was seen in two places', () => {
    const area = { south: 0, west: 0, north: 1, east: 1, picture: PICTURE }
    const areas = [area, { ...area }, { ...area, west: 0.5 }]
    const steps = areas.map((one) => ({ ...run().steps[0]!, area: one }))
    const { sheets } = drawn({ runs: [run()], steps, colour: () => '#123456', pictureUrl: () => '/p', dim: false, correction: null })
    expect(sheets.map((sheet) => sheet.x)).toEqual([0.5, 0.5 + 0.5 / 360])
  })
})

describe('the box around a place', () => {
  it('holds the whole of its radius, also far in the north', () => {
    for (const lat of [0, 60, -70]) {
      const [west, south, east, north] = boundsOf([{ lat, lon: 25 }], 300)!
      for (const [x, y] of circle({ lat, lon: 25 }, 290)) {
        expect(x > west && x < east && y > south && y < north, `${lat}: ${x}, ${y}`).toBe(true)
      }
    }
    expect(boundsOf([{ lat: 90, lon: 0 }], 300)!.every(Number.isFinite)).toBe(true)
  })
})

describe('what several runs came to', () => {
  const runs = ['r', 's'].map((id) => ({ ...run(), id, steps: run().steps.map((step) => ({ ...step, run: id, id: `${id}${step.id}` })) }))
  const decided: Decided = { run: 's', agree: 2, of: 2, radius_km: 5, confidence: null, place: '', grounding: '', holds: [] }
  const shared = { runs, steps: runs.flatMap((one) => one.steps), colour: () => '#123456', pictureUrl: () => '/p', dim: false, correction: null }

  it('is drawn with its own radius, over the answer of the run that was chosen', () => {
    const made = drawn({ ...shared, decided })
    expect(made.marks.filter((mark) => mark.kind === 'decided').map((mark) => mark.step)).toEqual(['sr/2'])
    expect(made.marks.at(-1)?.kind).toBe('decided')
    const height = (kind: string): number[] => made.shapes.filter((one) => one.kind === kind).map((one) => one.south - one.north)
    expect(height('radius')).toEqual([])
    expect(height('own')).toHaveLength(2)
    expect(height('decided')[0]! / height('own')[0]!).toBeCloseTo(5 / 2, 2)
  })

  it('changes nothing where nothing was decided, or no run has an answer', () => {
    for (const none of [undefined, { ...decided, run: null }]) {
      const made = drawn({ ...shared, decided: none })
      expect(made.shapes.filter((one) => one.kind === 'radius')).toHaveLength(2)
      expect(made.marks.some((mark) => mark.kind === 'decided')).toBe(false)
    }
  })
})

describe('files for other programs', () => {
  it('say what every shape is', () => {
    const { features } = JSON.parse(geojson([run()], job)) as GeoJSON.FeatureCollection
    expect(features.map((one) => [one.properties?.kind, one.geometry.type])).toEqual([
      ['correction', 'Point'], ['answer', 'Point'], ['found', 'Point'], ['radius', 'Polygon'], ['area', 'Polygon'],
    ])
    const [ring] = (features[3]!.geometry as GeoJSON.Polygon).coordinates
    expect(ring!.at(0)).toEqual(ring!.at(-1))
    // Anticlockwise: its signed area is positive.
    const sum = ring!.slice(1).reduce((all, [x, y], n) => all + ring![n]![0]! * y! - x! * ring![n]![1]!, 0)
    expect(sum).toBeGreaterThan(0)
  })

  it('are well formed, whatever places are called', () => {
    const text = kml([run()], job)
    expect(text).toContain('<name>A &amp; B</name>')
    expect(text.match(/<Placemark>/g)).toHaveLength(5)
    expect(escape('a\u0000<b>')).toBe('a&lt;b&gt;')
  })
})

describe('a turn that is being written', () => {
  const delta = (number: number, text: string, anew = false) => ({
    type: 'delta' as const, run: 'r', number, turn: 1, anew, pieces: [{ kind: 'text' as const, text }],
  })

  it('grows, begins anew with another turn, and is nothing once it was heard', () => {
    const one = newRun('r')
    draft(one, delta(3, 'It ', true))
    const before = one.draft
    draft(one, delta(3, 'is'))
    expect(one.draft).not.toBe(before)
    expect(one.draft?.text).toBe('It is')
    draft(one, delta(3, 'It is a', true))
    expect(one.draft?.text).toBe('It is a')
    draft(one, delta(5, 'Next', true))
    expect(one.draft?.text).toBe('Next')
    one.events = 6
    draft(one, delta(5, 'late'))
    expect(one.draft?.text).toBe('Next')
  })
})
