// The runs that are looked at, together: what is selected, and how far a replay has come.

import type { RunEvent } from './events'
import { apply, newRun, type Run, type Step } from './reducer'

/** Colours of runs, told apart with any colour vision, on light and on dark maps. */
export const RUN_COLOURS = ['#0c8f84', '#d1495b', '#3f6fd8', '#c77d0a', '#8a4fc9', '#4d8a1f', '#c4408f', '#6b7280']

export function colourOf(number: number): string {
  return RUN_COLOURS[number % RUN_COLOURS.length] ?? '#0c8f84'
}

export class Session {
  /** Grows whenever runs change: they are changed in place, a frame's events at a time. */
  version = $state(0)
  focus = $state('')
  selected: string | undefined = $state()
  hovered: string | undefined = $state()
  hidden: string[] = $state([])
  /** How many steps of the timeline are shown; undefined for all, as they come. */
  shown: number | undefined = $state()
  #runs: Run[]
  #waiting: RunEvent[] = []
  #frame = 0

  constructor(ids: string[], focus: string) {
    this.#runs = ids.map((id) => newRun(id))
    this.focus = focus
  }

  get runs(): Run[] {
    void this.version
    return this.#runs
  }

  get focused(): Run {
    void this.version
    return this.#runs.find((run) => run.id === this.focus) ?? this.#runs[0] ?? newRun('')
  }

  numberOf(run: string): number {
    return Math.max(0, this.#runs.findIndex((one) => one.id === run))
  }

  /** All steps of all runs in the order in which they happened. */
  get timeline(): Step[] {
    return this.runs
      .filter((run) => !this.hidden.includes(run.id))
      .flatMap((run) => run.steps)
      .sort((a, b) => a.at - b.at || a.number - b.number)
  }

  /** The steps that are to be seen now. */
  get visible(): Step[] {
    const all = this.timeline
    return this.shown === undefined ? all : all.slice(0, this.shown)
  }

  find(step: string | undefined): Step | undefined {
    if (step === undefined) return undefined
    return this.runs.flatMap((run) => run.steps).find((one) => one.id === step)
  }

  /** Take events in; what comes within a frame is shown together. */
  hear(events: RunEvent[]): void {
    this.#waiting.push(...events)
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.flush())
  }

  flush(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    for (const event of this.#waiting) {
      const run = this.#runs.find((one) => one.id === event.run)
      if (run) apply(run, event)
    }
    this.#waiting = []
    this.version++
  }

  select(step: string | undefined): void {
    this.selected = step
    const found = this.find(step)
    if (found) this.focus = found.run
  }

  /** Go to a place in the timeline, and select the step there. */
  seek(shown: number | undefined): void {
    this.shown = shown
    const step = shown === undefined ? undefined : this.timeline[shown - 1]
    if (step) this.select(step.id)
  }
}
