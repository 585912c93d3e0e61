import { describe, expect, it } from 'vitest'
import { eventsOf, type Message, type ToolEnded, type ToolStarted, type Trajectory } from '../src/lib/events'
import { fold } from '../src/lib/reducer'

const USAGE = { prompt_tokens: 0, completion_tokens: 0, cost: 0 }
const PICTURE = { mime: 'image/png', sha256: 'a'.repeat(64), width: 500, height: 500 }

function turn(text: string, ...calls: string[]): Message {
  const made = calls.map((id) => ({ id, name: 'search_places', arguments: `{"query": "${id}"}` }))
  return { role: 'assistant', parts: [{ type: 'text', text }], reasoning: '', tool_calls: made, tool_call_id: '', usage: USAGE }
}

function result(id: string): Message {
  const text = JSON.stringify({ results: [{ name: id, lat: 60, lon: 25 }] })
  return { role: 'tool', parts: [{ type: 'text', text }], reasoning: '', tool_calls: [], tool_call_id: id, usage: USAGE }
}

function rollout(more: Partial<Trajectory> = {}): Trajectory {
  const messages = [turn('I look.', 'a', 'b'), result('a'), result('b'), turn('And again.', 'c'), result('c'), turn('No idea.')]
  const question: Message = { ...turn('Where?'), role: 'user', parts: [{ type: 'picture', picture: PICTURE }] }
  return {
    schema_version: 1, id: 'r', photo: { sha256: 'b'.repeat(64), width: 10, height: 10, path: '' }, model: 'toy/step-20',
    toolset: 'worldwide', seed: 0, started: '2026-01-01T00:00:00.000+00:00', seconds: 0, messages: [question, ...messages],
    tools: [], usage: USAGE, status: 'unparsed', stop_reason: 'finished', answer: null, detail: 'no JSON', ...more,
  }
}

/** Tool events as a training keeps them: numbered by themselves, without times. */
function numbered(): (ToolStarted | ToolEnded)[] {
  return [['a', 1], ['b', 1], ['c', 2]].flatMap(([id, turn], n) => {
    const shared = { run: 'r', at: '', elapsed: 0, turn: Number(turn), call_id: String(id), tool: 'search_places' }
    return [
      { ...shared, type: 'tool_started' as const, number: 2 * n, arguments: `{"query": "${id}"}` },
      { ...shared, type: 'tool_ended' as const, number: 2 * n + 1, seconds: 0.25, error: '', pictures: [], source: 'OSM' },
    ]
  })
}

describe('a rollout of a training', () => {
  it.each([['kept', numbered()], ['made of the messages', []]])('has its calls where they were made, %s', (_, tools) => {
    const run = fold(eventsOf(rollout({ tools })))
    expect(run.steps.map((step) => step.text || step.callId)).toEqual(['I look.', 'a', 'b', 'And again.', 'c', 'No idea.'])
    expect(run.steps.filter((step) => step.kind === 'call').map((step) => [step.places[0]?.name, step.running])).toEqual([
      ['a', false], ['b', false], ['c', false],
    ])
    expect(run.steps.map((step) => step.turn)).toEqual([1, 1, 1, 2, 2, 3])
    expect([run.status, run.detail, run.picture]).toEqual(['unparsed', 'no JSON', PICTURE])
  })

  it('shows calls that were never answered, and messages that lack fields', () => {
    const cut = numbered().slice(0, 3)
    const { messages } = rollout()
    const run = fold(eventsOf(rollout({ tools: cut, messages: messages.slice(0, 3) })))
    expect(run.steps.map((step) => step.kind)).toEqual(['thought', 'call', 'call'])
    const bare = { role: 'assistant', parts: [{ type: 'text', text: 'Hm.' }] } as Message
    expect(fold(eventsOf(rollout({ messages: [bare] }))).steps.map((step) => step.text)).toEqual(['Hm.'])
  })
})
