// The server's events, without a gap: a lost connection is taken up where it broke off.

import type { Job } from './api'
import type { Delta, RunEvent } from './events'

export interface Heard {
  jobs(jobs: Job[]): void
  events(events: (RunEvent | Delta)[]): void
  connected(yes: boolean): void
}

const PATIENCE_MS = 2000

/** Listen until the returned function is called. */
export function listen(job: string, heard: Heard): () => void {
  let source: EventSource | undefined
  let timer: ReturnType<typeof setTimeout> | undefined
  let last = ''

  function open(): void {
    const query = new URLSearchParams({ job, after: last })
    source = new EventSource(`/api/stream?${query}`)
    source.addEventListener('open', () => heard.connected(true))
    source.addEventListener('jobs', (frame) => heard.jobs(JSON.parse(frame.data as string) as Job[]))
    source.addEventListener('run', (frame) => {
      last = frame.lastEventId
      heard.events(JSON.parse(frame.data as string) as RunEvent[])
    })
    source.addEventListener('delta', (frame) => heard.events([JSON.parse(frame.data as string) as Delta]))
    source.addEventListener('error', () => {
      heard.connected(false)
      // The browser tries again by itself, except after a reply that is no stream.
      if (source?.readyState === EventSource.CLOSED) timer = setTimeout(open, PATIENCE_MS)
    })
  }

  open()
  return () => {
    clearTimeout(timer)
    source?.close()
  }
}
