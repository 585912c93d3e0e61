// The runs that are looked at, together: what is selected, and how far a replay has come.

import type { Decided, Rested } from './api'
import type { Delta, RunEvent } from './events'
import type { LatLon } from './geo'
import { apply, draft, newRun, type Run, type Step } from './reducer'

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
  /** A place of the selected step that is looked at, where it is one among others. */
  at: LatLon | undefined = $state()
  hovered: string | undefined = $state()
  /** How many steps of the timeline are shown; undefined for all, as they come. */
  shown: number | undefined = $state()
  #runs: Run[]
  #numbers: Map<string, number>
  #waiting: (RunEvent | Delta)[] = []
  #frame = 0

  /** All steps of all runs in the order in which they happened. */
  timeline: Step[] = $derived.by(() => this.runs.flatMap((run) => run.steps).sort((a, b) => a.at - b.at || a.number - b.number))
  /** The steps that are to be seen now. */
  visible: Step[] = $derived(this.shown === undefined ? this.timeline : this.timeline.slice(0, this.shown))
  #byId: Map<string, Step> = $derived(new Map(this.timeline.map((step) => [step.id, step])))

  /** What the answers of recorded runs rest on, by run. */
  readonly rested = new Map<string, Rested>()

  constructor(ids: string[], focus: string) {
    this.#runs = ids.map((id) => newRun(id))
    this.#numbers = new Map(ids.map((id, number) => [id, number]))
    this.focus = focus
  }

  get runs(): Run[] {
    void this.version
    return this.#runs
  }

  get focused(): Run {
    return this.runs[this.numberOf(this.focus)] ?? newRun('')
  }

  numberOf(run: string): number {
    return this.#numbers.get(run) ?? 0
  }

  /** What a run's answer rests on: of the chosen one the decision says it, of a recorded one its record. */
  restsOn(run: Run, decided: Decided | null | undefined): Rested | undefined {
    return decided?.run === run.id ? decided : this.rested.get(run.id)
  }

  find(step: string | undefined): Step | undefined {
    return step === undefined ? undefined : this.#byId.get(step)
  }

  /** Take events in; what comes within a frame is shown together. */
  hear(events: (RunEvent | Delta)[]): void {
    this.#waiting.push(...events)
    if (!this.#frame) this.#frame = requestAnimationFrame(() => this.flush())
  }

  flush(): void {
    cancelAnimationFrame(this.#frame)
    this.#frame = 0
    for (const event of this.#waiting) {
      const run = this.#runs[this.#numbers.get(event.run) ?? -1]
      if (!run) continue
      if (event.type === 'delta') draft(run, event)
      else apply(run, event)
    }
    this.#waiting = []
    this.version++
  }

  select(step: string | undefined, at?: LatLon): void {
    this.selected = step
    this.at = at
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
