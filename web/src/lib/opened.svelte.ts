// A file of trajectories that was opened in this browser. A worker reads it; a trajectory is parsed when shown.

import { eventsOf, type RunEvent, type Trajectory } from './events'

export interface Summary {
  id: string
  model: string
  status: string
  place: string
  photo: string
  picture: string
  seconds: number
  start: number
  end: number
}

export type Read = { summaries: Summary[]; milliseconds: number } | { problem: string }

class Opened {
  name = $state('')
  summaries: Summary[] = $state.raw([])
  problem = $state('')
  busy = $state(false)
  milliseconds = $state(0)
  #file: Blob | undefined
  #pictures = new Map<string, string>()

  /** Open a file, or the one in a folder together with its pictures. */
  async open(files: File[]): Promise<void> {
    const file = files.find((one) => one.name === 'trajectories.jsonl') ?? files.find((one) => one.name.endsWith('.jsonl'))
    this.problem = ''
    if (!file) {
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
    const read = await summarise(file)
    this.busy = false
    if ('problem' in read) {
      this.problem = read.problem
      return
    }
    this.#file = file
    this.name = file.name
    this.summaries = read.summaries
    this.milliseconds = read.milliseconds
  }

  has(run: string): boolean {
    return this.summaries.some((one) => one.id === run)
  }

  async events(run: string): Promise<RunEvent[]> {
    const one = this.summaries.find((summary) => summary.id === run)
    if (!one || !this.#file) return []
    const text = await this.#file.slice(one.start, one.end).text()
    return eventsOf(JSON.parse(text) as Trajectory)
  }

  /** The picture of this hash, where the folder has it. */
  picture(sha256: string): string | undefined {
    return this.#pictures.get(sha256)
  }
}

async function summarise(file: Blob): Promise<Read> {
  const worker = new Worker(new URL('./opening.worker.ts', import.meta.url), { type: 'module' })
  try {
    return await new Promise<Read>((resolve) => {
      worker.onmessage = (message: MessageEvent<Read>) => resolve(message.data)
      worker.onerror = (error) => resolve({ problem: error.message })
      worker.postMessage(file)
    })
  } finally {
    worker.terminate()
  }
}

export const opened = new Opened()
