// The map engine, loaded when the first map is shown. Its worker is a file of ours: nothing comes from elsewhere.

import type { LngLatLike, Map as MapLibre, StyleSpecification } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'

/** Where a map stands. */
export interface Stand {
  center: LngLatLike
  zoom: number
}

const WORLD: Stand = { center: [10, 25], zoom: 1 }

export async function createMap(container: HTMLElement, style: Promise<StyleSpecification>, stand = WORLD): Promise<MapLibre> {
  const { Map, NavigationControl, ScaleControl, setWorkerUrl } = await import('maplibre-gl')
  setWorkerUrl(new URL(workerUrl, location.href).href)
  const map = new Map({
    container,
    style: await style,
    ...stand,
    maxZoom: 19,
    attributionControl: { compact: true },
    dragRotate: false,
    pitchWithRotate: false,
    // Names that fade in cost a repaint for every frame of it.
    fadeDuration: 0,
    renderWorldCopies: true,
  })
  map.touchZoomRotate.disableRotation()
  map.keyboard.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.addControl(new ScaleControl(), 'bottom-right')
  return map
}

/** Whether the map is drawn by the processor: flights over it would stutter. */
export function drawnInSoftware(map: MapLibre): boolean {
  const gl = map.getCanvas().getContext('webgl2')
  const info = gl?.getExtension('WEBGL_debug_renderer_info')
  const renderer: unknown = gl?.getParameter(info ? info.UNMASKED_RENDERER_WEBGL : gl.RENDERER)
  return /swiftshader|llvmpipe|software|basic render/i.test(String(renderer))
}
