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
 * A trajectory keeps messages without their times, but its tool events keep their numbers: the numbers between
 * them are the messages, in their order. A message gets the time of the event beside it.
 */
export function eventsOf(trajectory: Trajectory): RunEvent[] {
  const { id: run, started: at } = trajectory
  const tools = [...trajectory.tools].sort((a, b) => a.number - b.number)
  const last = trajectory.messages.length + tools.length + 1
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
  let [tool, index, turn] = [0, 0, 0]
  for (let number = 1; number < last; number++) {
    const event = tools[tool]
    const message = trajectory.messages[index]
    if (event && (event.number <= number || !message)) {
      events.push(event)
      tool++
    } else if (message) {
      if (message.role === 'assistant') turn++
      const next = message.role === 'assistant' ? (event?.elapsed ?? trajectory.seconds) : undefined
      const elapsed = next ?? events.at(-1)?.elapsed ?? 0
      events.push({ type: 'message', run, number, at, elapsed, turn, index, message })
      index++
    }
  }
  events.push({
    type: 'run_ended',
    run,
    number: last,
    at,
    elapsed: trajectory.seconds,
    status: trajectory.status,
    stop_reason: trajectory.stop_reason,
    answer: trajectory.answer,
    detail: trajectory.detail,
    usage: trajectory.usage,
  })
  return events
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
