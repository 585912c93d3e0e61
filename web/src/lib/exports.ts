// Runs as files that others can open without this program.

import type { Job } from './api'
import { geojson, kml } from './geoexports'
import type { Session } from './session.svelte'
import { sheet, type Urls } from './sheet'

const RULES = '/sheet.css'

export async function exportRuns(kind: 'html' | 'geojson' | 'kml' | 'print', session: Session, job: Job | undefined, urls: Urls, version: string): Promise<void> {
  const name = `wheretaken-${session.focused.id}`
  if (kind === 'geojson') return save(`${name}.geojson`, 'application/geo+json', geojson(session.runs, job))
  if (kind === 'kml') return save(`${name}.kml`, 'application/vnd.google-earth.kml+xml', kml(session.runs, job))
  if (kind === 'html') {
    const rules = await (await fetch(RULES)).text()
    return save(`${name}.html`, 'text/html', await sheet(session, job, urls, version, rules))
  }
  // A page that this one opens is held to the same content policy, which takes no rules inside of it.
  print(await sheet(session, job, urls, version, new URL(RULES, location.href)))
}

function save(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const anchor = document.createElement('a')
  anchor.href = url
  anchor.download = name
  anchor.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}

/** Open the sheet in a tab of its own and ask for the printer. */
function print(page: string): void {
  const url = URL.createObjectURL(new Blob([page], { type: 'text/html' }))
  const tab = window.open(url)
  tab?.addEventListener('load', () => tab.print())
}
