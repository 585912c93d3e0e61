// A file of trajectories that was opened in this browser. A worker reads it; a trajectory is parsed when shown.

import type { Rested } from './api'
import { eventsOf, type RunEvent, type Trajectory } from './events'

export interface Summary {
  id: string
  model: string
  status: string
  place: string
  photo: string
  picture: string
  seconds: number
  /** Which of the files it is in, and where. */
  file: number
  start: number
  end: number
  /** What its answer rests on, where a file of solutions says it. */
  rested?: Rested | undefined
}

/** A file of trajectories, and the solutions that lie beside it. */
export interface Pair {
  trajectories: Blob
  solutions: Blob | undefined
}

export type Read = { summaries: Summary[]; milliseconds: number } | { problem: string }

const SOLUTIONS = 'solutions.jsonl'

class Opened {
  name = $state('')
  summaries: Summary[] = $state.raw([])
  problem = $state('')
  busy = $state(false)
  milliseconds = $state(0)
  /** Where each of the files is in the folder that was opened; empty for a single file. */
  folders: string[] = $state.raw([])
  #files: File[] = []
  #pictures = new Map<string, string>()

  /** Open files, or those in a folder (of a training there are many) together with their pictures. */
  async open(files: File[]): Promise<void> {
    const named = files.filter((one) => one.name === 'trajectories.jsonl')
    const found = named.length ? named : files.filter((one) => one.name.endsWith('.jsonl') && one.name !== SOLUTIONS)
    found.sort((a, b) => a.webkitRelativePath.localeCompare(b.webkitRelativePath))
    this.problem = ''
    if (!found.length) {
      this.problem = 'no .jsonl'
      return
    }
    for (const url of this.#pictures.values()) URL.revokeObjectURL(url)
    this.#pictures.clear()
    for (const one of files) {
      const hash = /^([0-9a-f]{64})\.(png|jpg|webp)$/.exec(one.name)?.[1]
      if (hash) this.#pictures.set(hash, URL.createObjectURL(one))
    }
    this.busy = true
    const beside = (one: File): File | undefined => files.find((other) => other.name === SOLUTIONS && folder(other) === folder(one))
    const read = await summarise(found.map((one) => ({ trajectories: one, solutions: beside(one) })))
    this.busy = false
    if ('problem' in read) {
      this.problem = read.problem
      return
    }
    this.#files = found
    const folders = found.map((one) => one.webkitRelativePath.split('/').slice(0, -1))
    this.folders = folders.map((parts) => parts.slice(1).join('/'))
    this.name = folders[0]?.[0] ?? found.map((one) => one.name).join(', ')
    this.summaries = read.summaries
    this.milliseconds = read.milliseconds
  }

  has(run: string): boolean {
    return this.summaries.some((one) => one.id === run)
  }

  async events(run: string): Promise<RunEvent[]> {
    const one = this.summaries.find((summary) => summary.id === run)
    const file = this.#files[one?.file ?? 0]
    if (!one || !file) return []
    const line = JSON.parse(await file.slice(one.start, one.end).text()) as Trajectory
    return eventsOf({ ...line, id: one.id })
  }

  rested(run: string): Rested | undefined {
    return this.summaries.find((one) => one.id === run)?.rested
  }

  /** The picture of this hash, where the folder has it. */
  picture(sha256: string): string | undefined {
    return this.#pictures.get(sha256)
  }
}

function folder(file: File): string {
  return file.webkitRelativePath.split('/').slice(0, -1).join('/')
}

async function summarise(files: Pair[]): Promise<Read> {
  const worker = new Worker(new URL('./opening.worker.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise<Read>((resolve) => {
      worker.onmessage = (message: MessageEvent<Read>) => resolve(message.data)
      worker.onerror = (error) => resolve({ problem: error.message })
      worker.postMessage(files)
    })
  } finally {
    worker.terminate()
  }
}

export const opened = new Opened()
