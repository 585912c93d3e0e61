// From events to what is shown. The same function serves a live run, a replay and a file that was opened.

import type { Answer, Delta, Evidence, PhotoInfo, PictureRef, RunEnded, RunEvent, Usage } from './events'
import { fromGcj02, type LatLon } from './geo'

export type PlaceKind = 'found' | 'looked' | 'candidate' | 'evidence' | 'answer'

/** A place on the map, and why it is there. */
export interface Place extends LatLon {
  kind: PlaceKind
  name: string
  weight?: number
}

/** A part of the photo, each side from 0 to 1. */
export interface Box {
  left: number
  top: number
  right: number
  bottom: number
  label: string
  kind: 'zoom' | 'text'
}

/** The area that a map picture shows. */
export interface Area {
  south: number
  west: number
  north: number
  east: number
  picture: PictureRef | undefined
}

export interface Step {
  /** Unique among all runs: `run/number`. */
  id: string
  run: string
  /** From 1, as permalinks name it. */
  number: number
  kind: 'thought' | 'call' | 'answer'
  turn: number
  /** Seconds since the run began. */
  at: number
  seconds: number
  running: boolean
  text: string
  reasoning: string
  tokens: number
  callId: string
  tool: string
  args: Record<string, unknown>
  result: unknown
  resultText: string
  error: string
  source: string
  pictures: PictureRef[]
  boxes: Box[]
  places: Place[]
  area: Area | undefined
}

/** The turn that a model is writing, as far as it has come. */
export interface Draft {
  number: number
  turn: number
  text: string
  reasoning: string
  call: string
}

export interface Run {
  id: string
  model: string
  toolset: string
  datum: string
  seed: number
  photo: PhotoInfo | undefined
  picture: PictureRef | undefined
  steps: Step[]
  draft: Draft | undefined
  status: RunEnded['status'] | 'running'
  stopReason: string
  answer: Answer | undefined
  detail: string
  usage: Usage
  elapsed: number
  /** How many events were applied; a later one with a lower number is a repetition. */
  events: number
  /** Parts of the photo that numbered pictures show. */
  crops: Map<number, Box>
}

const MOST_PLACES = 20
const WGS84 = 'WGS-84'
/** Of a draft, in characters: what is beyond is seen when the turn is complete. */
const MOST_DRAFT = 20_000
const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, cost: 0 }

export function newRun(id: string): Run {
  const whole: Box = { left: 0, top: 0, right: 1, bottom: 1, label: '', kind: 'zoom' }
  return {
    id,
    model: '',
    toolset: '',
    datum: WGS84,
    seed: 0,
    photo: undefined,
    picture: undefined,
    steps: [],
    draft: undefined,
    status: 'running',
    stopReason: '',
    answer: undefined,
    detail: '',
    usage: NO_USAGE,
    elapsed: 0,
    events: 0,
    crops: new Map([[0, whole]]),
  }
}

export function fold(events: Iterable<RunEvent>, id = ''): Run {
  const run = newRun(id)
  for (const event of events) apply(run, event)
  return run
}

/** Add an event. Steps that change are replaced, so that whoever shows them sees it by identity. */
export function apply(run: Run, event: RunEvent): void {
  if (event.number < run.events) return
  run.events = event.number + 1
  if (run.draft && event.number >= run.draft.number) run.draft = undefined
  run.elapsed = Math.max(run.elapsed, event.elapsed)
  switch (event.type) {
    case 'run_started':
      run.id = event.run
      run.model = event.model
      run.toolset = event.toolset
      // The oldest logs name no datum: only the tools of amap had another one.
      run.datum = event.datum ?? (event.toolset === 'amap' ? 'GCJ-02' : WGS84)
      run.seed = event.seed
      run.photo = event.photo
      break
    case 'message':
      addMessage(run, event)
      break
    case 'tool_started':
      addStep(run, {
        kind: 'call',
        turn: event.turn,
        at: event.elapsed,
        running: true,
        callId: event.call_id,
        tool: event.tool,
        ...startedCall(run, event.tool, event.arguments),
      })
      break
    case 'tool_ended':
      change(run, event.call_id, (step) => ({
        ...step,
        running: false,
        seconds: event.seconds,
        error: event.error,
        source: event.source,
        pictures: event.pictures,
      }))
      break
    case 'run_ended':
      run.status = event.status
      run.stopReason = event.stop_reason
      run.answer = event.answer ?? undefined
      run.detail = event.detail
      run.usage = event.usage
      run.steps = run.steps.map((step) => (step.running ? { ...step, running: false } : step))
      if (event.answer) addAnswer(run, event.answer, event.elapsed)
      break
  }
}

/** Add a little to what a model is writing. The draft is replaced, so that whoever shows it sees it. */
export function draft(run: Run, delta: Delta): void {
  if (delta.number < run.events) return
  const same = !delta.anew && run.draft?.number === delta.number ? run.draft : undefined
  const next = { number: delta.number, turn: delta.turn, text: '', reasoning: '', call: '', ...same }
  for (const { kind, text } of delta.pieces) next[kind] = (next[kind] + text).slice(0, MOST_DRAFT)
  run.draft = next
}

function addMessage(run: Run, event: Extract<RunEvent, { type: 'message' }>): void {
  const { message } = event
  const text = message.parts.map((part) => (part.type === 'text' ? part.text : '')).join('\n')
  const pictures = message.parts.flatMap((part) => (part.type === 'picture' ? [part.picture] : []))
  if (message.role === 'user' && !run.picture) run.picture = pictures[0]
  if (message.role === 'tool') {
    change(run, message.tool_call_id, (step) => finishedCall(run, step, text))
  } else if (message.role === 'assistant') {
    const before = run.steps.at(-1)
    const began = before ? before.at + before.seconds : 0
    addStep(run, {
      kind: 'thought',
      turn: event.turn,
      at: event.elapsed,
      seconds: Math.max(0, event.elapsed - began),
      text: withoutJson(message.tool_calls.length ? text.replace(TEXT_CALL, '') : text),
      reasoning: message.reasoning,
      tokens: message.usage.prompt_tokens + message.usage.completion_tokens,
      boxes: textBoxes(`${message.reasoning}\n${text}`),
    })
  }
}

/** Calls that a model writes as text (Hermes) are steps of their own. */
const TEXT_CALL = /<tool_call>[\s\S]*?(<\/tool_call>|$)/g

function addAnswer(run: Run, answer: Answer, at: number): void {
  const named = (place: { city: string; country: string }): string =>
    [place.city, place.country].filter(Boolean).join(', ')
  const places: Place[] = answer.candidates.map((one) => ({
    kind: 'candidate',
    lat: one.lat,
    lon: one.lon,
    name: named(one),
    ...(one.weight === null ? {} : { weight: one.weight }),
  }))
  for (const one of answer.evidence) {
    if (one.lat !== null && one.lon !== null) {
      places.push({ kind: 'evidence', lat: one.lat, lon: one.lon, name: `${one.reads} → ${one.place}` })
    }
  }
  places.push({ kind: 'answer', lat: answer.lat, lon: answer.lon, name: named(answer) })
  const last = run.steps.at(-1)
  if (last?.kind === 'thought') {
    run.steps[run.steps.length - 1] = { ...last, kind: 'answer', places }
  } else {
    addStep(run, { kind: 'answer', turn: last?.turn ?? 1, at, places })
  }
}

function addStep(run: Run, step: Partial<Step> & Pick<Step, 'kind' | 'turn' | 'at'>): void {
  const number = run.steps.length + 1
  run.steps.push({
    id: `${run.id}/${number}`,
    run: run.id,
    number,
    seconds: 0,
    running: false,
    text: '',
    reasoning: '',
    tokens: 0,
    callId: '',
    tool: '',
    args: {},
    result: undefined,
    resultText: '',
    error: '',
    source: '',
    pictures: [],
    boxes: [],
    places: [],
    area: undefined,
    ...step,
  })
}

/** Replace the latest step of this call. */
function change(run: Run, callId: string, changed: (step: Step) => Step): void {
  for (let n = run.steps.length - 1; n >= 0; n--) {
    const step = run.steps[n]
    if (step?.kind === 'call' && step.callId === callId) {
      run.steps[n] = changed(step)
      return
    }
  }
}

function startedCall(run: Run, tool: string, text: string): Partial<Step> {
  const args = object(parsed(text))
  const box = tool.includes('zoom') ? zoomBox(run, args) : undefined
  return { args, boxes: box ? [box] : [], places: lookedAt(run, args) }
}

function finishedCall(run: Run, step: Step, text: string): Step {
  const result = parsed(text)
  const data = object(result)
  const box = step.boxes[0]
  if (box && typeof data.image === 'number') run.crops.set(data.image, box)
  return {
    ...step,
    result,
    resultText: text,
    places: [...step.places, ...foundIn(run, data)],
    area: areaOf(data, step.pictures[0]),
  }
}

/** The part of the photo that a zoom shows; of a picture that is no part of the photo there is none. */
function zoomBox(run: Run, args: Record<string, unknown>): Box | undefined {
  const numbers = args.bbox_2d
  if (!Array.isArray(numbers) || numbers.length !== 4 || !numbers.every(Number.isFinite)) return undefined
  const of = run.crops.get(typeof args.image === 'number' ? args.image : 0)
  if (!of) return undefined
  const label = typeof args.label === 'string' ? args.label : ''
  const inner = boxOf(numbers as number[], label, 'zoom')
  const [width, height] = [of.right - of.left, of.bottom - of.top]
  return {
    ...inner,
    left: of.left + inner.left * width,
    right: of.left + inner.right * width,
    top: of.top + inner.top * height,
    bottom: of.top + inner.bottom * height,
  }
}

function boxOf(numbers: number[], label: string, kind: Box['kind']): Box {
  const share = (n: number): number => Math.min(Math.max((numbers[n] ?? 0) / 1000, 0), 1)
  return {
    left: Math.min(share(0), share(2)),
    right: Math.max(share(0), share(2)),
    top: Math.min(share(1), share(3)),
    bottom: Math.max(share(1), share(3)),
    label,
    kind,
  }
}

/** Text that a model says it read somewhere: `“KIOSKI” [120, 80, 300, 140]`, each from 0 to 1000. */
export function textBoxes(text: string): Box[] {
  const boxes: Box[] = []
  const pattern = /[“"]([^”"\n]{1,200})[”"]\s*(?:at\s*|:\s*)?\[\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*,\s*(\d{1,4})\s*\]/g
  for (const found of text.matchAll(pattern)) {
    const numbers = found.slice(2, 6).map(Number)
    if (numbers.every((n) => n <= 1000)) boxes.push(boxOf(numbers, found[1] ?? '', 'text'))
  }
  return boxes
}

function lookedAt(run: Run, args: Record<string, unknown>): Place[] {
  const lat = args.near_lat ?? args.lat ?? args.latitude
  const lon = args.near_lon ?? args.lon ?? args.longitude
  const places = placed(run, 'looked', lat, lon, '')
  if (Array.isArray(args.markers)) {
    for (const pair of args.markers.slice(0, MOST_PLACES) as unknown[]) {
      if (Array.isArray(pair)) places.push(...placed(run, 'looked', pair[0], pair[1], ''))
    }
  }
  return unique(places)
}

function foundIn(run: Run, data: Record<string, unknown>): Place[] {
  const results = Array.isArray(data.results) ? data.results : [data]
  const places = results.slice(0, MOST_PLACES).flatMap((entry: unknown) => {
    const one = object(entry)
    const name = [one.name, one.city === one.name ? '' : one.city, one.country].filter(Boolean).join(', ')
    return name ? placed(run, 'found', one.lat, one.lon, name) : []
  })
  return unique(places)
}

function placed(run: Run, kind: PlaceKind, lat: unknown, lon: unknown, name: string): Place[] {
  if (typeof lat !== 'number' || typeof lon !== 'number') return []
  if (!(Math.abs(lat) <= 90 && Math.abs(lon) <= 180)) return []
  const at = run.datum === WGS84 ? { lat, lon } : fromGcj02({ lat, lon })
  return [{ kind, name, ...at }]
}

function unique(places: Place[]): Place[] {
  const key = (place: Place): string => `${place.lat.toFixed(4)},${place.lon.toFixed(4)}`
  return [...new Map(places.map((place) => [key(place), place])).values()]
}

function areaOf(data: Record<string, unknown>, picture: PictureRef | undefined): Area | undefined {
  const { south, west, north, east } = data
  const sides = [south, west, north, east]
  if (!sides.every((side) => typeof side === 'number' && Number.isFinite(side))) return undefined
  return { south, west, north, east, picture } as Area
}

/** The text before the answer's JSON object, which is shown as an answer instead. */
function withoutJson(text: string): string {
  const at = text.search(/(^|\n)\s*(```json\s*)?\{\s*"lat"/)
  return (at < 0 ? text : text.slice(0, at)).trim()
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function object(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

/** The step whose call showed a piece of evidence. */
export function stepOf(run: Run, evidence: Evidence): Step | undefined {
  return evidence.call ? run.steps.find((step) => step.callId === evidence.call) : undefined
}

/** Where in the photo a piece of evidence is read, as far as the run says. */
export function boxOfEvidence(run: Run, evidence: Evidence): Box | undefined {
  const boxes = run.steps.flatMap((step) => step.boxes)
  return boxes.find((box) => box.label && (box.label === evidence.reads || evidence.reads.includes(box.label)))
}
