// The evidence sheet: one page with everything that speaks for an answer, to keep and to print.

import type { Job } from './api'
import { distanceKm } from './geo'
import { escape } from './geoexports'
import { distance, t, texts, when } from './i18n.svelte'
import type { Area, Run, Step } from './reducer'
import type { Session } from './session.svelte'

export type Urls = (sha256: string) => string | undefined

const MOST_FOUND = 5

/**
 * One page that asks no server for anything.
 *
 * @param rules how it looks: rules, or the address where this server has them
 */
export async function sheet(session: Session, job: Job | undefined, urls: Urls, version: string, rules: string | URL): Promise<string> {
  const run = session.runs.find((one) => one.id === job?.decided?.run) ?? session.focused
  const place = [run.answer?.city, run.answer?.country].filter(Boolean).join(', ')
  const steps = await Promise.all(run.steps.map((step) => stepHtml(step, urls)))
  const style = rules instanceof URL ? `<link rel="stylesheet" href="${rules.href}">` : `<style>${rules}</style>`
  const list = facts(session, run, job)
    .filter(([, value]) => value)
    .map(([key, value, kind]) => `${key ? `<dt>${escape(key)}</dt>` : ''}<dd class="${kind ?? ''}">${escape(value)}</dd>`)
  return `<!doctype html>
<html lang="${texts.language === 'zh' ? 'zh-Hans' : 'en'}"><head><meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src ${rules instanceof URL ? rules.origin : "'unsafe-inline'"}">
<title>${escape(place || t('sheetTitle'))}</title>${style}</head><body>
<header><h1>${escape(place || t('noAnswer'))}</h1><p>${escape(t('sheetTitle'))}</p></header>
<div class="pictures">${await photo(run, job, urls)}${await map(run, urls)}</div>
<dl>${list.join('\n')}</dl>
${evidence(run, session.restsOn(run, job?.decided)?.holds ?? [])}
<h2>${escape(t('steps'))}</h2><ol>${steps.join('\n')}</ol>
<footer>${escape(t('madeWith', { version }))} · ${escape(when(new Date().toISOString()))}</footer></body></html>`
}

function facts(session: Session, run: Run, job: Job | undefined): [string, string, string?][] {
  const { answer } = run
  const decided = session.runs.length > 1 && job?.decided?.run === run.id ? job.decided : undefined
  const radius = decided?.radius_km ?? answer?.radius_km
  const rests = session.restsOn(run, job?.decided)?.grounding
  const { correction } = job ?? {}
  const corrected = correction && {
    lat: correction.lat.toFixed(5),
    lon: correction.lon.toFixed(5),
    km: answer ? distance(distanceKm(correction, answer)) : '',
  }
  return [
    [t('coordinates'), answer ? `${answer.lat.toFixed(5)}, ${answer.lon.toFixed(5)}` : t('noAnswer'), 'strong'],
    ['', radius ? t('within', { radius: distance(radius) }) : ''],
    ['', decided ? t('agree', { agree: decided.agree, of: decided.of }) : ''],
    ['', rests === 'none' ? t('restsOnNothing') : rests ? `${t('restsOn')}: ${t(`rests_${rests}`)}` : '', rests === 'none' ? 'warn' : ''],
    ['', corrected ? t('corrected', corrected) : '', 'warn'],
    ['', answer ? '' : run.detail],
    [t('photo'), job?.name || run.photo?.path.split('/').at(-1) || ''],
    ['SHA-256', run.photo?.sha256 ?? ''],
    [t('model'), [run.model, run.toolset, run.id].filter(Boolean).join(', ')],
    ['', job ? when(job.created) : ''],
    [t('hint'), job?.hint ?? ''],
    [t('sources'), [...new Set(run.steps.flatMap((step) => step.source.split(/; | · /)).filter(Boolean))].join(' · ')],
  ]
}

/** The photo with what was read in it and what was looked at closer. */
async function photo(run: Run, job: Job | undefined, urls: Urls): Promise<string> {
  const picture = run.picture ?? job?.picture
  const url = picture && (await dataUrl(urls(picture.sha256)))
  if (!picture || !url) return ''
  const { width, height } = picture
  const boxes = run.steps.flatMap((step) => step.boxes).map((box) => {
    const [x, y] = [box.left * width, box.top * height]
    return `<rect class="${box.kind}" x="${x}" y="${y}" width="${(box.right - box.left) * width}" height="${(box.bottom - box.top) * height}"><title>${escape(box.label)}</title></rect>`
  })
  return `<figure><svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escape(t('photo'))}"><image href="${url}" width="${width}" height="${height}"/>${boxes.join('')}</svg></figure>`
}

/** The closest map that the agent saw around its answer. */
async function map(run: Run, urls: Urls): Promise<string> {
  const { answer } = run
  if (!answer) return ''
  const height = (area: Area | undefined): number => (area ? area.north - area.south : Infinity)
  const [best] = run.steps.filter((step) => step.area?.picture && holds(step.area, answer)).sort((a, b) => height(a.area) - height(b.area))
  const url = best?.area?.picture && (await dataUrl(urls(best.area.picture.sha256)))
  return url ? `<figure><img src="${url}" alt="${escape(t('map'))}"><figcaption>${escape(best.source)}</figcaption></figure>` : ''
}

function holds(area: Area, { lat, lon }: { lat: number; lon: number }): boolean {
  return lat >= area.south && lat <= area.north && lon >= area.west && lon <= area.east
}

function evidence(run: Run, held: boolean[]): string {
  const { answer } = run
  if (!answer?.evidence.length) return ''
  const rows = answer.evidence.map((one, index) => {
    const km = one.lat !== null && one.lon !== null ? distance(distanceKm({ lat: one.lat, lon: one.lon }, answer)) : ''
    return `<tr><td>“${escape(one.reads)}”</td><td>${escape(one.place)}</td><td>${km}</td><td>${held[index] ? `✓ ${escape(t('holds'))}` : ''}</td></tr>`
  })
  return `<h2>${escape(t('evidence'))}</h2><table>${rows.join('')}</table>`
}

async function stepHtml(step: Step, urls: Urls): Promise<string> {
  const pictures = await Promise.all(step.pictures.map((one) => dataUrl(urls(one.sha256))))
  const images = pictures.filter(Boolean).map((url) => `<img src="${url}" alt="">`)
  const said = step.kind === 'call' ? `<code>${escape(step.tool)} ${escape(JSON.stringify(step.args))}</code>` : escape(step.text)
  const found = step.places.filter((place) => place.kind === 'found').slice(0, MOST_FOUND).map((place) => escape(place.name))
  const source = images.length && step.source ? `<span class="source">${escape(step.source)}</span>` : ''
  return `<li>${said}${step.error ? `<br>${escape(step.error)}` : ''}${found.length ? `<br>→ ${found.join('; ')}` : ''}${images.join('')}${source}</li>`
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
