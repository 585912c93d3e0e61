// Reads a file of trajectories line by line, off the page's thread, and tells what is in it and where.

import type { Rested } from './api'
import type { Trajectory } from './events'
import type { Pair, Read, Summary } from './opened.svelte'
import { note } from './solutions'

const NEWLINE = 10

addEventListener('message', (message: MessageEvent<Pair[]>) => {
  void readAll(message.data).then((result) => postMessage(result))
})

async function readAll(files: Pair[]): Promise<Read> {
  const began = performance.now()
  const summaries: Summary[] = []
  for (const [number, { trajectories, solutions }] of files.entries()) {
    const rested = new Map<string, Rested>()
    const problem =
      (solutions && (await read(solutions, (line) => note(rested, line)))) ||
      (await read(trajectories, (line, start, end) => {
        const { messages, id, photo } = line as Partial<Trajectory>
        if (!Array.isArray(messages) || !id || !photo) throw new Error('no messages')
        summaries.push({ ...summary(line as Trajectory, number, start, end), rested: rested.get(id) })
      }))
    if (problem) return { problem }
  }
  if (!summaries.length) return { problem: 'empty' }
  return { summaries: distinct(summaries), milliseconds: performance.now() - began }
}

/** Every recording has an address of its own, also where two files have a run of the same name. */
function distinct(summaries: Summary[]): Summary[] {
  const seen = new Map<string, number>()
  return summaries.map((one) => {
    const before = seen.get(one.id) ?? 0
    seen.set(one.id, before + 1)
    return before ? { ...one, id: `${one.id}~${before + 1}` } : one
  })
}

/** Give every line, parsed and with where it is, to `take`; returns what is wrong with the file, if something is. */
async function read(file: Blob, take: (line: unknown, start: number, end: number) => void): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer())
  const decoder = new TextDecoder()
  let lines = 0
  for (let start = 0; start < bytes.length; ) {
    const found = bytes.indexOf(NEWLINE, start)
    if (found < 0) break // a killed run's half line
    if (found > start) {
      try {
        lines++
        take(JSON.parse(decoder.decode(bytes.subarray(start, found))), start, found)
      } catch (error) {
        return `line ${lines}: ${error instanceof Error ? error.message : String(error)}`
      }
    }
    start = found + 1
  }
  return ''
}

function summary(line: Trajectory, file: number, start: number, end: number): Summary {
  const at = line.answer ? `${line.answer.lat.toFixed(4)}, ${line.answer.lon.toFixed(4)}` : ''
  const place = [line.answer?.city, line.answer?.country].filter(Boolean).join(', ') || at
  const first = line.messages.flatMap((one) => one.parts ?? []).find((part) => part.type === 'picture')
  return {
    id: line.id,
    model: line.model,
    status: line.status,
    place,
    photo: line.photo.path?.split('/').at(-1) ?? '',
    picture: first?.type === 'picture' ? first.picture.sha256 : '',
    seconds: line.seconds ?? 0,
    file,
    start,
    end,
  }
}
