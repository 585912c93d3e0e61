import { describe, expect, it } from 'vitest'
import { eventsOf, readLog, type Message, type RunEvent, type Trajectory } from '../src/lib/events'
import { boxOfEvidence, fold, newRun, apply, stepOf, textBoxes } from '../src/lib/reducer'

const USAGE = { prompt_tokens: 0, completion_tokens: 0, cost: 0 }
const PICTURE = { mime: 'image/png', sha256: 'a'.repeat(64), width: 500, height: 500 }
let number = 0

function at(elapsed: number): { run: string; number: number; at: string; elapsed: number } {
  return { run: 'r1', number: number++, at: '2026-01-01T00:00:00.000+00:00', elapsed }
}

function message(role: Message['role'], text: string, more: Partial<Message> = {}): Message {
  return { role, parts: [{ type: 'text', text }], reasoning: '', tool_calls: [], tool_call_id: '', usage: USAGE, ...more }
}

function call(id: string, tool: string, args: unknown, result: unknown, pictures = [] as (typeof PICTURE)[]): RunEvent[] {
  return [
    { ...at(1), type: 'tool_started', turn: 1, call_id: id, tool, arguments: JSON.stringify(args) },
    { ...at(2), type: 'tool_ended', turn: 1, call_id: id, tool, seconds: 0.5, error: '', pictures, source: 'OSM' },
    { ...at(2), type: 'message', turn: 1, index: 0, message: message('tool', JSON.stringify(result), { tool_call_id: id }) },
  ]
}

function log(): RunEvent[] {
  number = 0
  const photo = { sha256: 'b'.repeat(64), width: 1000, height: 800, path: 'x.jpg' }
  const answer = {
    lat: 60.2, lon: 24.9, city: 'Helsinki', country: 'Finland', radius_km: 1, confidence: 0.9,
    evidence: [{ reads: 'KIOSKI', place: 'Kioski, Helsinki', lat: 60.2, lon: 24.9, call: 'c2' }],
    candidates: [{ lat: 60.2, lon: 24.9, city: 'Helsinki', country: 'Finland', weight: 0.8 }],
  }
  return [
    { ...at(0), type: 'run_started', photo, model: 'm', toolset: 'worldwide', seed: 0 },
    { ...at(0), type: 'message', turn: 0, index: 0, message: message('system', 'You find.') },
    { ...at(0), type: 'message', turn: 0, index: 1, message: { ...message('user', 'Where?'), parts: [{ type: 'picture', picture: PICTURE }, { type: 'text', text: 'Where?' }] } },
    { ...at(1), type: 'message', turn: 1, index: 2, message: message('assistant', 'I look.', { reasoning: '“KIOSKI” [100, 200, 300, 250]', usage: { prompt_tokens: 5, completion_tokens: 7, cost: 0 } }) },
    ...call('c1', 'zoom', { bbox_2d: [0, 0, 500, 500], label: 'sign' }, { image: 1, of: 0 }, [PICTURE]),
    ...call('c2', 'search_places', { query: 'Kioski', near_lat: 60, near_lon: 25 }, { results: [{ name: 'Kioski', city: 'Helsinki', country: 'Finland', lat: 60.2, lon: 24.9 }] }),
    ...call('c3', 'zoom', { bbox_2d: [500, 500, 1000, 1000], image: 1 }, { image: 2, of: 1 }),
    ...call('c4', 'road_map', { lat: 60.2, lon: 24.9, zoom: 15 }, { image: 3, south: 60.1, west: 24.8, north: 60.3, east: 25 }, [PICTURE]),
    { ...at(5), type: 'message', turn: 2, index: 9, message: message('assistant', 'This is it.\n{"lat": 60.2, "lon": 24.9}') },
    { ...at(5), type: 'run_ended', status: 'answered', stop_reason: 'finished', answer, detail: '', usage: USAGE },
  ]
}

describe('the reducer', () => {
  it('makes a step of every thought and call, and one of the answer', () => {
    const run = fold(log())
    expect(run.steps.map((step) => step.kind)).toEqual(['thought', 'call', 'call', 'call', 'call', 'answer'])
    expect(run.steps.map((step) => step.number)).toEqual([1, 2, 3, 4, 5, 6])
    expect(run.steps[0]).toMatchObject({ text: 'I look.', tokens: 12 })
    expect(run.steps[5]?.text).toBe('This is it.')
    expect(run.status).toBe('answered')
    expect(run.picture).toEqual(PICTURE)
  })

  it('knows where in the photo a zoom looked, and a zoom into a zoom', () => {
    const run = fold(log())
    expect(run.steps[1]?.boxes[0]).toMatchObject({ left: 0, top: 0, right: 0.5, bottom: 0.5, label: 'sign' })
    expect(run.steps[3]?.boxes[0]).toMatchObject({ left: 0.25, top: 0.25, right: 0.5, bottom: 0.5 })
  })

  it('puts places that were looked at and found on the map, and the area of a map picture', () => {
    const run = fold(log())
    expect(run.steps[2]?.places).toEqual([
      { kind: 'looked', name: '', lat: 60, lon: 25 },
      { kind: 'found', name: 'Kioski, Helsinki, Finland', lat: 60.2, lon: 24.9 },
    ])
    expect(run.steps[4]?.area).toMatchObject({ south: 60.1, east: 25, picture: PICTURE })
    expect(run.steps[5]?.places.map((place) => place.kind)).toEqual(['candidate', 'evidence', 'answer'])
  })

  it('draws what the tools of amap saw in WGS-84', () => {
    number = 0
    const run = newRun('r1')
    apply(run, { ...at(0), type: 'run_started', photo: { sha256: '', width: 1, height: 1, path: '' }, model: 'm', toolset: 'amap', seed: 0 })
    for (const event of call('c', 'amap_static_map', { latitude: 39.915, longitude: 116.404 }, {})) apply(run, event)
    const place = run.steps[0]?.places[0]
    // The published pair for Tiananmen: 39.915, 116.404 in GCJ-02 is 39.91360, 116.39775 in WGS-84.
    expect(place?.lat).toBeCloseTo(39.9136, 3)
    expect(place?.lon).toBeCloseTo(116.39775, 3)
  })

  it('leads from evidence to its call and to where it is read', () => {
    const run = fold(log())
    const evidence = run.answer!.evidence[0]!
    expect(stepOf(run, evidence)?.callId).toBe('c2')
    expect(boxOfEvidence(run, evidence)).toMatchObject({ left: 0.1, top: 0.2, right: 0.3, bottom: 0.25 })
  })

  it('passes over what it has heard already', () => {
    const events = log()
    const run = newRun('r1')
    for (const event of [...events.slice(0, 8), ...events.slice(3)]) apply(run, event)
    expect(run.steps).toEqual(fold(events).steps)
  })

  it('replaces a step that changes, so that whoever shows it sees that it did', () => {
    const events = log()
    const run = newRun('r1')
    for (const event of events.slice(0, 5)) apply(run, event)
    const before = run.steps.at(-1)
    expect(before?.running).toBe(true)
    apply(run, events[5]!)
    expect(run.steps.at(-1)).not.toBe(before)
    expect(run.steps.at(-1)?.running).toBe(false)
  })

  it('shows arguments that are no JSON and positions that are none without falling over', () => {
    number = 0
    const run = newRun('r1')
    const events: RunEvent[] = [
      { ...at(0), type: 'tool_started', turn: 1, call_id: 'x', tool: 'zoom', arguments: '{"bbox_2d": "all"' },
      { ...at(1), type: 'tool_ended', turn: 1, call_id: 'x', tool: 'zoom', seconds: 0, error: 'no', pictures: [], source: '' },
      { ...at(1), type: 'message', turn: 1, index: 0, message: message('tool', 'error: no', { tool_call_id: 'x' }) },
      ...call('y', 'road_map', { lat: 95, lon: 'x', markers: [[1], 'a'] }, { results: [null, 5, { name: 'a', lat: 200, lon: 0 }], south: 1 }),
    ]
    for (const event of events) apply(run, event)
    expect(run.steps.map((step) => [step.error, step.boxes, step.places])).toEqual([['no', [], []], ['', [], []]])
  })

  it('reads boxes out of text and nothing that only looks like one', () => {
    expect(textBoxes('"A" at [0, 0, 10, 10] and “B”: [1,2,3,4]; "C" [1, 2, 3]; "D" [1, 2, 3, 2000]').map((box) => box.label)).toEqual(['A', 'B'])
  })
})

describe('a trajectory', () => {
  it('becomes the events that it was folded from', () => {
    const events = log()
    const start = events[0]!
    const end = events.at(-1)!
    if (start.type !== 'run_started' || end.type !== 'run_ended') throw new Error('no such log')
    const trajectory: Trajectory = {
      schema_version: 1, id: 'r1', photo: start.photo, model: 'm', toolset: 'worldwide', seed: 0,
      started: start.at, seconds: 5,
      messages: events.flatMap((event) => (event.type === 'message' ? [event.message] : [])),
      tools: events.flatMap((event) => (event.type === 'tool_started' || event.type === 'tool_ended' ? [event] : [])),
      usage: USAGE, status: 'answered', stop_reason: 'finished', answer: end.answer, detail: '',
    }
    const again = eventsOf(trajectory)
    expect(again.map((event) => [event.type, event.number])).toEqual(events.map((event) => [event.type, event.number]))
    expect(fold(again).steps.map(({ kind, text, boxes, places }) => ({ kind, text, boxes, places }))).toEqual(
      fold(events).steps.map(({ kind, text, boxes, places }) => ({ kind, text, boxes, places })),
    )
    expect(readLog(`${JSON.stringify(trajectory)}\n`)).toEqual(again)
  })

  it('is read from a log that a kill cut off', () => {
    const lines = log().map((event) => JSON.stringify(event))
    expect(readLog(`${lines.slice(0, 4).join('\n')}\n${lines[4]?.slice(0, 30)}`)).toHaveLength(4)
  })
})
