// Runs as files that others can open without this program.

import type { Job } from './api'
import { distanceKm } from './geo'
import { escape, geojson, kml } from './geoexports'
import { distance, t, texts } from './i18n.svelte'
import type { Run } from './reducer'
import type { Session } from './session.svelte'

type Urls = (sha256: string) => string | undefined

export async function exportRuns(kind: 'html' | 'geojson' | 'kml' | 'print', session: Session, job: Job | undefined, urls: Urls, version: string): Promise<void> {
  const name = `wheretaken-${session.focused.id}`
  if (kind === 'geojson') return save(`${name}.geojson`, 'application/geo+json', geojson(session.runs, job))
  if (kind === 'kml') return save(`${name}.kml`, 'application/vnd.google-earth.kml+xml', kml(session.runs, job))
  const page = await sheet(session, job, urls, version)
  if (kind === 'html') return save(`${name}.html`, 'text/html', page)
  return print(page)
}

/** One page that holds everything: it asks no server for anything, and prints. */
export async function sheet(session: Session, job: Job | undefined, urls: Urls, version: string): Promise<string> {
  const run = session.runs.find((one) => one.id === job?.decided?.run) ?? session.focused
  const picture = run.picture ?? job?.picture
  const photo = picture ? await dataUrl(urls(picture.sha256)) : ''
  const steps = await Promise.all(run.steps.map((step) => stepHtml(step, urls)))
  const answer = run.answer
  const place = [answer?.city, answer?.country].filter(Boolean).join(', ')
  const rows = (answer?.evidence ?? []).map((one) => {
    const km = one.lat !== null && one.lon !== null && answer ? distance(distanceKm({ lat: one.lat, lon: one.lon }, answer)) : ''
    return `<tr><td>“${escape(one.reads)}”</td><td>${escape(one.place)}</td><td>${km}</td></tr>`
  })
  const facts: [string, string][] = [
    [t('photo'), job?.name || run.photo?.path.split('/').at(-1) || ''],
    ['SHA-256', run.photo?.sha256 ?? ''],
    [t('coordinates'), answer ? `${answer.lat.toFixed(5)}, ${answer.lon.toFixed(5)}` : t('noAnswer')],
    ['', answer?.radius_km ? t('within', { radius: distance(answer.radius_km) }) : ''],
    [t('model'), `${run.model}, ${run.toolset}, ${run.id}`],
    [t('hint'), job?.hint ?? ''],
    ['', job?.correction ? t('corrected', { lat: job.correction.lat.toFixed(5), lon: job.correction.lon.toFixed(5), km: answer ? distance(distanceKm(job.correction, answer)) : '' }) : ''],
    [t('sources'), sources(run).join(' · ')],
  ]
  const list = facts.filter(([, value]) => value).map(([key, value]) => `<dt>${escape(key)}</dt><dd>${escape(value)}</dd>`)
  return `<!doctype html>
<html lang="${texts.language}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>${escape(place || t('sheetTitle'))}</title><style>${CSS}</style></head><body>
<header><p>${escape(t('sheetTitle'))}</p><h1>${escape(place || t('noAnswer'))}</h1></header>
${photo ? `<img class="photo" src="${photo}" alt="${escape(t('photo'))}">` : ''}
<dl>${list.join('')}</dl>
${rows.length ? `<h2>${escape(t('evidence'))}</h2><table>${rows.join('')}</table>` : ''}
<h2>${escape(t('steps'))}</h2><ol>${steps.join('\n')}</ol>
<footer>${escape(t('madeWith', { version }))}</footer></body></html>`
}

const CSS = `body{font:14px/1.5 system-ui,sans-serif;max-width:820px;margin:32px auto;padding:0 16px;color:#151b23;background:#fff}
header p{margin:0;color:#55606e}h1{margin:0 0 12px;font-size:26px}h2{font-size:17px;margin:22px 0 6px}
.photo{max-width:100%;max-height:420px}dl{display:grid;grid-template-columns:max-content 1fr;gap:3px 16px}dt{color:#55606e}dd{margin:0;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%}td{border-top:1px solid #dde3e8;padding:4px 8px 4px 0;vertical-align:top}
li{margin:0 0 8px;break-inside:avoid}li img{display:block;max-width:320px;margin:4px 0}code{color:#55606e}footer{margin-top:24px;color:#55606e;font-size:12px}
@media print{body{margin:0;max-width:none}}`

async function stepHtml(step: Run['steps'][number], urls: Urls): Promise<string> {
  const pictures = await Promise.all(step.pictures.map((one) => dataUrl(urls(one.sha256))))
  const images = pictures.filter(Boolean).map((url) => `<img src="${url}" alt="">`)
  const said = step.kind === 'call' ? `<code>${escape(step.tool)} ${escape(JSON.stringify(step.args))}</code>` : escape(step.text)
  const found = step.places.filter((place) => place.kind === 'found').slice(0, 5).map((place) => escape(place.name))
  return `<li>${said}${step.error ? `<br>${escape(step.error)}` : ''}${found.length ? `<br>→ ${found.join('; ')}` : ''}${images.join('')}</li>`
}

function sources(run: Run): string[] {
  return [...new Set(run.steps.flatMap((step) => step.source.split(/; | · /)).filter(Boolean))]
}

async function dataUrl(url: string | undefined): Promise<string> {
  if (!url) return ''
  const response = await fetch(url)
  if (!response.ok) return ''
  const blob = await response.blob()
  return new Promise((resolve) => {
    const reader = new FileReader()
    reader.onload = () => resolve(String(reader.result))
    reader.readAsDataURL(blob)
  })
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
