// Where the page is, as its address after `#` says: every view and every step has a permanent link.

export type Route =
  | { view: 'start' }
  | { view: 'file' }
  | { view: 'run'; run: string; step: number | undefined }
  | { view: 'evaluation'; name: string; compare: string | undefined }

export function parse(hash: string): Route {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?')
  const parts = path.split('/').map((part) => {
    try {
      return decodeURIComponent(part)
    } catch {
      return part
    }
  })
  if (parts[0] === 'run' && parts[1]) {
    const step = parts[2] === 'step' ? Number(parts[3]) : NaN
    return { view: 'run', run: parts[1], step: Number.isInteger(step) && step > 0 ? step : undefined }
  }
  if (parts[0] === 'evaluation' && parts[1]) {
    const compare = new URLSearchParams(query).get('compare') ?? undefined
    return { view: 'evaluation', name: parts[1], compare }
  }
  return parts[0] === 'file' ? { view: 'file' } : { view: 'start' }
}

export function link(route: Route): string {
  switch (route.view) {
    case 'run':
      return `#/run/${encodeURIComponent(route.run)}${route.step ? `/step/${route.step}` : ''}`
    case 'evaluation': {
      const query = route.compare ? `?compare=${encodeURIComponent(route.compare)}` : ''
      return `#/evaluation/${encodeURIComponent(route.name)}${query}`
    }
    case 'file':
      return '#/file'
    default:
      return '#/'
  }
}

class Router {
  route: Route = $state.raw(parse(location.hash))

  constructor() {
    addEventListener('hashchange', () => (this.route = parse(location.hash)))
  }

  go(route: Route): void {
    location.hash = link(route)
  }

  /** Change the address without a new entry in the browser's history. */
  replace(route: Route): void {
    history.replaceState(null, '', link(route))
    this.route = route
  }
}

export const router = new Router()
