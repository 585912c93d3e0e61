// The one place that talks to the server.

import { readLog, type PhotoInfo, type PictureRef, type RunEvent } from './events'

/** What an answer rests on. */
export interface Rested {
  grounding: 'place' | 'map' | 'clue' | 'none' | ''
  /** For each piece of the answer's evidence, whether a call told of it; empty where nobody looked. */
  holds: boolean[]
}

export interface Decided extends Rested {
  run: string | null
  agree: number
  of: number
  radius_km: number | null
  confidence: number | null
  place: string
}

export interface Job {
  id: string
  created: string
  name: string
  picture: PictureRef
  info: PhotoInfo
  model: string
  toolset: string
  hint: string
  runs: string[]
  state: 'queued' | 'running' | 'done' | 'cancelled' | 'failed' | 'gone'
  detail: string
  decided: Decided | null
  correction: { lat: number; lon: number } | null
  position: number
}

export interface Setup {
  version: string
  models: string[]
  toolsets: string[]
  limits: { runs: number; bytes: number; hint: number }
  evaluations: string[]
  tiles: string
  style: string
  attribution: string
}

export interface Wanted {
  model: string
  toolset: string
  n: number
  hint: string
}

/** The results of a run directory, column by column. */
export interface Table {
  name: string
  id: string[]
  image: string[]
  status: string[]
  detail: string[]
  km: (number | null)[]
  /** Null where nobody knows it. */
  truth: ([number, number] | null)[]
  truth_name: string[]
  answer: ([number, number] | null)[]
  answer_name: string[]
  radius_km: (number | null)[]
  /** What the answer rests on; null where there is none, or no record of how it came about. */
  grounding: ('place' | 'map' | 'clue' | 'none' | null)[]
  runs: string[][]
}

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

async function ask(path: string, options: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, options)
  } catch (error) {
    throw new ApiError(0, error instanceof Error ? error.message : String(error))
  }
  if (!response.ok) {
    const told = (await response.json().catch(() => ({}))) as { error?: string }
    throw new ApiError(response.status, told.error ?? response.statusText)
  }
  return response
}

function json(method: string, body: unknown): RequestInit {
  return { method, headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body) }
}

export const api = {
  async setup(): Promise<Setup> {
    return (await ask('/api/setup')).json()
  },
  async signIn(token: string): Promise<void> {
    await ask('/signin', { method: 'POST', body: token })
  },
  async submit(photo: Blob, name: string, wanted: Wanted): Promise<Job> {
    const query = new URLSearchParams({ ...wanted, n: String(wanted.n), name })
    const type = photo.type.startsWith('image/') ? photo.type : 'application/octet-stream'
    const options = { method: 'POST', headers: { 'Content-Type': type }, body: photo }
    return (await ask(`/api/jobs?${query}`, options)).json()
  },
  async again(job: string, wanted: Wanted): Promise<Job> {
    return (await ask(`/api/jobs/${job}/again`, json('POST', wanted))).json()
  },
  async cancel(job: string): Promise<void> {
    await ask(`/api/jobs/${job}/cancel`, json('POST', {}))
  },
  async remove(job: string): Promise<void> {
    await ask(`/api/jobs/${job}`, { method: 'DELETE' })
  },
  async correct(job: string, position: { lat: number; lon: number } | null): Promise<void> {
    await ask(`/api/jobs/${job}/correction`, json('POST', { position }))
  },
  async runOwner(run: string): Promise<{ job: string | null; evaluation: string | null; rested: Rested | null }> {
    return (await ask(`/api/runs/${encodeURIComponent(run)}`)).json()
  },
  async log(run: string): Promise<RunEvent[]> {
    return readLog(await (await ask(`/api/runs/${encodeURIComponent(run)}/log`)).text())
  },
  async evaluation(name: string): Promise<Table> {
    return (await ask(`/api/evaluations/${encodeURIComponent(name)}`)).json()
  },
  picture(sha256: string, side?: 96 | 320): string {
    return `/api/media/${sha256}${side ? `?side=${side}` : ''}`
  },
}
