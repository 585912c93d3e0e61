// The event log of a run, as `wheretaken.agent.events` writes it.

export interface PictureRef {
  mime: string
  sha256: string
  width: number
  height: number
}

export interface Usage {
  prompt_tokens: number
  completion_tokens: number
  cost: number
}

export type Part = { type: 'text'; text: string } | { type: 'picture'; picture: PictureRef }

export interface ToolCall {
  id: string
  name: string
  arguments: string
}

export interface Message {
  role: 'system' | 'user' | 'assistant' | 'tool'
  parts: Part[]
  reasoning: string
  tool_calls: ToolCall[]
  tool_call_id: string
  usage: Usage
}

export interface Evidence {
  reads: string
  place: string
  lat: number | null
  lon: number | null
  call: string
}

export interface Candidate {
  lat: number
  lon: number
  city: string
  country: string
  weight: number | null
}

export interface Answer {
  lat: number
  lon: number
  city: string
  country: string
  radius_km: number | null
  confidence: number | null
  evidence: Evidence[]
  candidates: Candidate[]
}

export interface PhotoInfo {
  sha256: string
  width: number
  height: number
  path: string
}

interface Stamped {
  run: string
  number: number
  at: string
  elapsed: number
}

export interface RunStarted extends Stamped {
  type: 'run_started'
  photo: PhotoInfo
  model: string
  toolset: string
  /** In which its tools take and give positions; missing in the oldest logs. */
  datum?: string
  seed: number
}

export interface MessageAdded extends Stamped {
  type: 'message'
  turn: number
  index: number
  message: Message
}

export interface ToolStarted extends Stamped {
  type: 'tool_started'
  turn: number
  call_id: string
  tool: string
  arguments: string
}

export interface ToolEnded extends Stamped {
  type: 'tool_ended'
  turn: number
  call_id: string
  tool: string
  seconds: number
  error: string
  pictures: PictureRef[]
  source: string
}

export interface RunEnded extends Stamped {
  type: 'run_ended'
  status: 'answered' | 'refused' | 'unparsed' | 'failed'
  stop_reason: string
  answer: Answer | null
  detail: string
  usage: Usage
}

/** A little of the turn that a model is writing; it has the number of the event after it and is in no log. */
export interface Delta {
  type: 'delta'
  run: string
  number: number
  turn: number
  /** The turn is told from its beginning: what was told of it before is to be forgotten. */
  anew: boolean
  pieces: { kind: 'text' | 'reasoning' | 'call'; text: string }[]
}

export type RunEvent = RunStarted | MessageAdded | ToolStarted | ToolEnded | RunEnded

/** A finished run as one line of `trajectories.jsonl`. */
export interface Trajectory {
  schema_version: number
  id: string
  photo: PhotoInfo
  model: string
  toolset: string
  datum?: string
  seed: number
  started: string
  seconds: number
  messages: Message[]
  tools: (ToolStarted | ToolEnded)[]
  usage: Usage
  status: RunEnded['status']
  stop_reason: string
  answer: Answer | null
  detail: string
}

/**
 * Put the events of a trajectory back in their order.
 *
 * A trajectory keeps messages without their times, and tool events apart from them: those of a turn follow the
 * message that calls them, and what a call returned follows its end. Records of training number their tool
 * events by themselves, and foreign ones have none: calls are then made of the messages alone.
 */
export function eventsOf(trajectory: Trajectory): RunEvent[] {
  const { id: run, started: at } = trajectory
  const events: RunEvent[] = [
    {
      type: 'run_started',
      run,
      number: 0,
      at,
      elapsed: 0,
      photo: trajectory.photo,
      model: trajectory.model,
      toolset: trajectory.toolset,
      ...(trajectory.datum ? { datum: trajectory.datum } : {}),
      seed: trajectory.seed,
    },
  ]
  const stamp = (elapsed: number): { run: string; number: number; at: string; elapsed: number } => ({
    run, number: events.length, at, elapsed,
  })
  const messages = trajectory.messages.map(whole)
  const last = messages.findLastIndex((one) => one.role === 'assistant')
  let [turn, open]: [number, ToolEvent[]] = [0, []]
  const now = (): number => events.at(-1)?.elapsed ?? 0
  /** Add the open events up to the end of this call, or all of them. */
  const until = (call?: string): void => {
    const end = open.findIndex((one) => one.type === 'tool_ended' && one.call_id === call)
    for (const one of open.splice(0, call === undefined ? open.length : end + 1)) events.push({ ...one, ...stamp(one.elapsed) })
  }
  messages.forEach((message, index) => {
    if (message.role === 'tool') until(message.tool_call_id)
    else until()
    if (message.role === 'assistant') {
      turn++
      open = calls(trajectory, messages, index, turn, now())
    }
    const elapsed = message.role !== 'assistant' ? now() : index === last ? trajectory.seconds : (open[0]?.elapsed ?? now())
    events.push({ ...stamp(elapsed), type: 'message', turn, index, message })
  })
  until()
  events.push({
    ...stamp(trajectory.seconds),
    type: 'run_ended',
    status: trajectory.status,
    stop_reason: trajectory.stop_reason,
    answer: trajectory.answer,
    detail: trajectory.detail,
    usage: trajectory.usage,
  })
  return events
}

type ToolEvent = ToolStarted | ToolEnded

const NO_USAGE: Usage = { prompt_tokens: 0, completion_tokens: 0, cost: 0 }

/** A message with all of its fields: what other programs write may lack some. */
function whole(message: Partial<Message>): Message {
  return { role: 'user', parts: [], reasoning: '', tool_calls: [], tool_call_id: '', usage: NO_USAGE, ...message }
}

/** The events of the calls of a turn, as they are kept, or made of the messages that answer them. */
function calls(trajectory: Trajectory, messages: Message[], index: number, turn: number, elapsed: number): ToolEvent[] {
  const kept = (trajectory.tools ?? []).filter((one) => one.turn === turn)
  if (kept.length) return kept.sort((a, b) => a.number - b.number)
  const next = messages.findIndex((one, n) => n > index && one.role === 'assistant')
  const answers = messages.slice(index + 1, next < 0 ? undefined : next).filter((one) => one.role === 'tool')
  return (messages[index]?.tool_calls ?? []).flatMap((call) => {
    const answer = answers.find((one) => one.tool_call_id === call.id)
    if (!answer) return []
    const pictures = answer.parts.flatMap((part) => (part.type === 'picture' ? [part.picture] : []))
    const shared = { run: trajectory.id, number: 0, at: trajectory.started, elapsed, turn, call_id: call.id, tool: call.name }
    return [
      { ...shared, type: 'tool_started' as const, arguments: call.arguments },
      { ...shared, type: 'tool_ended' as const, seconds: 0, error: '', pictures, source: '' },
    ]
  })
}

/** Read the lines of a log: events, or one trajectory. A half line at the end is passed over. */
export function readLog(text: string): RunEvent[] {
  const lines = text.split('\n').filter((line) => line.trim())
  const first = lines[0] ? (JSON.parse(lines[0]) as RunEvent | Trajectory) : undefined
  if (!first) return []
  if (!('type' in first)) return eventsOf(first)
  const events: RunEvent[] = []
  for (const line of lines) {
    try {
      events.push(JSON.parse(line) as RunEvent)
    } catch {
      break // a killed run's last line
    }
  }
  return events
}
