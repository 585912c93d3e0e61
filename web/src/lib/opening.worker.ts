// Reads a file of trajectories line by line, off the page's thread, and tells what is in it and where.

import type { Trajectory } from './events'
import type { Read, Summary } from './opened.svelte'

const NEWLINE = 10

addEventListener('message', (message: MessageEvent<Blob>) => {
  void read(message.data).then((result) => postMessage(result))
})

async function read(file: Blob): Promise<Read> {
  const began = performance.now()
  const bytes = new Uint8Array(await file.arrayBuffer())
  const decoder = new TextDecoder()
  const summaries: Summary[] = []
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start)
    if (found < 0) break // a killed run's half line
    if (found > start) {
      try {
        const line = JSON.parse(decoder.decode(bytes.subarray(start, found))) as Trajectory
        summaries.push(summary(line, start, found))
      } catch (error) {
        const detail = error instanceof Error ? error.message : String(error)
        return { problem: `${summaries.length + 1}: ${detail}` }
      }
    }
    start = found + 1
  }
  if (!summaries.length) return { problem: '0' }
  return { summaries, milliseconds: performance.now() - began }
}

function summary(line: Trajectory, start: number, end: number): Summary {
  const place = [line.answer?.city, line.answer?.country].filter(Boolean).join(', ')
  const first = line.messages.flatMap((one) => one.parts).find((part) => part.type === 'picture')
  return {
    id: line.id,
    model: line.model,
    status: line.status,
    place,
    photo: line.photo.path.split('/').at(-1) ?? '',
    picture: first?.type === 'picture' ? first.picture.sha256 : '',
    seconds: line.seconds,
    start,
    end,
  }
}
