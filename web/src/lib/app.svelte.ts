// What the whole page shares: what the server offers, and all jobs.

import { api, ApiError, type Job, type Setup, type Wanted } from './api'
import { t } from './i18n.svelte'
import { router } from './router.svelte'

class App {
  setup: Setup | undefined = $state.raw()
  signedOut = $state(false)
  connected = $state(true)
  jobs: Job[] = $state.raw([])
  problem = $state('')
  theme: 'light' | 'dark' = $state(document.documentElement.dataset.theme === 'dark' ? 'dark' : 'light')

  async load(): Promise<void> {
    try {
      this.setup = await api.setup()
      this.signedOut = false
    } catch (error) {
      if (error instanceof ApiError && error.status === 401) this.signedOut = true
      else this.tell(error)
    }
  }

  /** Take note of jobs that changed; the newest comes first. */
  heard(changed: Job[]): void {
    const all = new Map(this.jobs.map((job) => [job.id, job]))
    for (const job of changed) {
      if (job.state === 'gone') all.delete(job.id)
      else all.set(job.id, job)
    }
    this.jobs = [...all.values()].sort((a, b) => b.created.localeCompare(a.created))
  }

  jobOf(run: string): Job | undefined {
    return this.jobs.find((job) => job.runs.includes(run))
  }

  async submit(files: (File | Blob)[], wanted: Wanted): Promise<void> {
    let first: Job | undefined
    for (const file of files) {
      try {
        const job = await api.submit(file, file instanceof File ? file.name : '', wanted)
        this.heard([job])
        first ??= job
      } catch (error) {
        this.tell(error, file instanceof File ? file.name : '')
      }
    }
    // One photo is watched; of several it is seen how they wait.
    const run = files.length === 1 ? first?.runs[0] : undefined
    if (run) router.go({ view: 'run', run, step: undefined })
  }

  tell(error: unknown, about = ''): void {
    const detail = error instanceof Error ? error.message : String(error)
    this.problem = (about ? `${about}: ` : '') + (detail || t('unknownError', { detail: '?' }))
  }

  useTheme(theme: 'light' | 'dark'): void {
    this.theme = theme
    document.documentElement.dataset.theme = theme
    localStorage.setItem('theme', theme)
  }
}

export const app = new App()
