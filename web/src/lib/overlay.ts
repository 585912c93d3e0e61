// What the agent did, drawn over the base map on a canvas of its own.
//
// A change of a step, or what the pointer is on, costs a few milliseconds here. As layers of the map engine it
// would cost a repaint of the whole map, which takes a tenth of a second where there is no graphics card.
// Format: the map is Mercator, never turned or tilted, so that a position is a scale and an offset away.

import type { Map as MapLibre } from 'maplibre-gl'
import { mercator } from './geo'
import type { Drawn, Mark, Shape, Sheet } from './mapdata'

export interface Hit {
  step: string
  kind: Mark['kind'] | Shape['kind']
  name: string
}

interface View {
  /** Pixels of the whole world's width. */
  size: number
  /** The world's left and upper edge, in pixels of the canvas. */
  left: number
  top: number
  width: number
  height: number
}

const REACH_PX = 8
const TILE_PX = 512
/** Without a graphics card a drawing costs as much as some frames of the page: events within this time share one. */
const SETTLE_MS = 200

export class Overlay {
  readonly #map: MapLibre
  readonly #canvas = document.createElement('canvas')
  readonly #pen: CanvasRenderingContext2D | null
  readonly #settle: number
  readonly #images = new Map<string, HTMLImageElement>()
  #drawn: Drawn = { marks: [], shapes: [], sheets: [] }
  #marked = ''
  #frame = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #last = ''
  #dirty = true

  constructor(map: MapLibre, software: boolean) {
    this.#map = map
    this.#settle = software ? SETTLE_MS : 0
    // Without a graphics card the browser would draw it with the emulated one, at seven times the cost.
    this.#pen = this.#canvas.getContext('2d', { willReadFrequently: software })
    this.#canvas.className = 'overlay'
    this.#canvas.setAttribute('aria-hidden', 'true')
    map.getCanvasContainer().append(this.#canvas)
    map.on('render', this.#paint)
    map.on('move', this.#paint)
    map.on('resize', this.#paint)
  }

  /** Show this from the next frame on, or soon after where drawing is dear. */
  show(drawn: Drawn): void {
    this.#drawn = drawn
    const wanted = new Set(drawn.sheets.map((sheet) => sheet.url))
    for (const url of this.#images.keys()) if (!wanted.has(url)) this.#images.delete(url)
    for (const url of wanted) if (!this.#images.has(url)) this.#load(url)
    this.#settled()
  }

  /** Let a step stand out. */
  mark(step: string): void {
    if (step === this.#marked) return
    this.#marked = step
    this.#soon()
  }

  /** What is at a position of the map's canvas: the mark on top there, else the smallest area around it. */
  at(x: number, y: number, what: 'marks' | 'anything' = 'anything'): Hit | undefined {
    const view = this.#view()
    const near = (mark: Mark): number => {
      const [a, b] = placed(mark, view)
      return Math.hypot(a - x, b - y)
    }
    const hits = this.#drawn.marks.filter((mark) => near(mark) <= REACH_PX)
    const mark = hits.sort((a, b) => b.rank - a.rank || near(a) - near(b))[0]
    if (mark || what === 'marks') return mark
    const around = this.#drawn.shapes.filter((shape) => shape.kind === 'area' && inside(shape, view, x, y))
    return around.sort((a, b) => extent(a) - extent(b))[0]
  }

  remove(): void {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#map.off('render', this.#paint)
    this.#map.off('move', this.#paint)
    this.#map.off('resize', this.#paint)
    this.#canvas.remove()
  }

  #load(url: string): void {
    const image = new Image()
    image.onload = () => this.#settled()
    image.src = url
    this.#images.set(url, image)
  }

  #settled(): void {
    this.#dirty = true
    if (!this.#settle) this.#soon()
    else this.#timer ??= setTimeout(() => this.#soon(), this.#settle)
  }

  #soon(): void {
    this.#dirty = true
    this.#frame ||= requestAnimationFrame(this.#paint)
  }

  #view(): View {
    const { clientWidth: width, clientHeight: height } = this.#map.getContainer()
    const size = TILE_PX * 2 ** this.#map.getZoom()
    const centre = this.#map.getCenter()
    const [x, y] = mercator(centre.lat, centre.lng)
    return { size, left: width / 2 - x * size, top: height / 2 - y * size, width, height }
  }

  readonly #paint = (): void => {
    cancelAnimationFrame(this.#frame)
    clearTimeout(this.#timer)
    this.#frame = 0
    this.#timer = undefined
    const view = this.#view()
    const now = Object.values(view).join()
    if (!this.#dirty && now === this.#last) return
    this.#dirty = false
    this.#last = now
    const scale = window.devicePixelRatio || 1
    const [width, height] = [Math.round(view.width * scale), Math.round(view.height * scale)]
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width
      this.#canvas.height = height
    }
    const pen = this.#pen
    if (!pen) return
    pen.setTransform(scale, 0, 0, scale, 0, 0)
    pen.clearRect(0, 0, view.width, view.height)
    for (const copy of copies(view)) this.#draw(pen, copy)
  }

  #draw(pen: CanvasRenderingContext2D, view: View): void {
    for (const sheet of this.#drawn.sheets) sheetAt(pen, sheet, this.#images.get(sheet.url), view)
    for (const shape of this.#drawn.shapes) shapeAt(pen, shape, view, shape.step === this.#marked)
    for (const mark of this.#drawn.marks) if (mark.step === this.#marked) halo(pen, mark, view)
    for (const mark of this.#drawn.marks) markAt(pen, mark, view)
  }
}

/** The view for each copy of the world that can be seen. */
function copies(view: View): View[] {
  const first = Math.floor(-view.left / view.size) - 1
  const last = Math.floor((view.width - view.left) / view.size) + 1
  return Array.from({ length: Math.min(last - first + 1, 9) }, (_, n) => ({ ...view, left: view.left + (first + n) * view.size }))
}

function placed(at: { x: number; y: number }, view: View): [number, number] {
  // The copy of the world that the pointer may be in is the one in the middle of the view.
  const x = view.left + at.x * view.size
  const turns = Math.round((view.width / 2 - x) / view.size)
  return [x + turns * view.size, view.top + at.y * view.size]
}

function sheetAt(pen: CanvasRenderingContext2D, sheet: Sheet, image: HTMLImageElement | undefined, view: View): void {
  const [x, y] = [view.left + sheet.x * view.size, view.top + sheet.y * view.size]
  const [width, height] = [sheet.width * view.size, sheet.height * view.size]
  if (!image?.complete || !image.naturalWidth || width < 4 || beyond(x, y, width, height, view)) return
  pen.globalAlpha = 0.94
  pen.drawImage(image, x, y, width, height)
  if (sheet.dim) {
    // By night a sheet of white paper would outshine everything.
    pen.fillStyle = 'rgb(8 12 16 / 30%)'
    pen.fillRect(x, y, width, height)
  }
  pen.globalAlpha = 1
}

function shapeAt(pen: CanvasRenderingContext2D, shape: Shape, view: View, marked: boolean): void {
  const [x, y] = [view.left + shape.west * view.size, view.top + shape.north * view.size]
  const [width, height] = [(shape.east - shape.west) * view.size, (shape.south - shape.north) * view.size]
  if (beyond(x, y, width, height, view)) return
  pen.beginPath()
  for (const [a, b] of shape.ring) pen.lineTo(view.left + a * view.size, view.top + b * view.size)
  pen.closePath()
  const fill = { radius: 0.1, decided: 0.14, own: 0, area: 0 }[shape.kind]
  if (fill) {
    pen.globalAlpha = fill
    pen.fillStyle = shape.colour
    pen.fill()
    pen.globalAlpha = 1
  }
  pen.strokeStyle = shape.colour
  pen.lineWidth = { radius: 2, decided: 3, own: 1, area: 1.5 }[shape.kind]
  if (marked) pen.lineWidth = 3
  pen.setLineDash(shape.kind === 'area' && !marked ? [5, 4] : [])
  pen.stroke()
  pen.setLineDash([])
}

function halo(pen: CanvasRenderingContext2D, mark: Mark, view: View): void {
  if (!disc(pen, mark, view, 13)) return
  pen.globalAlpha = 0.3
  pen.fillStyle = mark.colour
  pen.fill()
  pen.globalAlpha = 1
  pen.strokeStyle = mark.colour
  pen.lineWidth = 1.5
  pen.stroke()
}

function markAt(pen: CanvasRenderingContext2D, mark: Mark, view: View): void {
  const radius = { answer: 9, decided: 12, candidate: 5 + 4 * mark.weight, evidence: 6, looked: 6, found: 3.5, corrected: 8 }[mark.kind]
  if (!disc(pen, mark, view, radius)) return
  const fill = { evidence: '#ffd75e', looked: 'rgb(255 255 255 / 15%)', corrected: '#b3261e' }[mark.kind as string]
  pen.globalAlpha = mark.kind === 'found' ? 0.65 : 1
  pen.fillStyle = fill ?? mark.colour
  pen.fill()
  pen.globalAlpha = 1
  if (mark.kind === 'found') return
  pen.strokeStyle = mark.kind === 'evidence' ? '#a87900' : mark.kind === 'looked' ? mark.colour : '#ffffff'
  pen.lineWidth = mark.kind === 'answer' || mark.kind === 'decided' ? 3 : 2
  pen.stroke()
  if (mark.kind !== 'decided') return
  // A dark rim and a light middle: it is told from the answers beside it in any colour.
  disc(pen, mark, view, radius + 2)
  pen.strokeStyle = mark.colour
  pen.lineWidth = 2
  pen.stroke()
  disc(pen, mark, view, 4)
  pen.fillStyle = '#ffffff'
  pen.fill()
}

function disc(pen: CanvasRenderingContext2D, mark: Mark, view: View, radius: number): boolean {
  const [x, y] = [view.left + mark.x * view.size, view.top + mark.y * view.size]
  if (beyond(x - 15, y - 15, 30, 30, view)) return false
  pen.beginPath()
  pen.arc(x, y, radius, 0, 2 * Math.PI)
  return true
}

function beyond(x: number, y: number, width: number, height: number, view: View): boolean {
  return x > view.width || y > view.height || x + width < 0 || y + height < 0
}

function inside(shape: Shape, view: View, x: number, y: number): boolean {
  const a = (((x - view.left) / view.size - shape.west) % 1 + 1) % 1 + shape.west
  const b = (y - view.top) / view.size
  return a <= shape.east && b >= shape.north && b <= shape.south
}

function extent(shape: Shape): number {
  return (shape.east - shape.west) * (shape.south - shape.north)
}
