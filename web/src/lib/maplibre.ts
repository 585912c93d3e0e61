// The map engine, loaded when the first map is shown. Its worker is a file of ours: nothing comes from elsewhere.

import type { ImageSource, Map as MapLibre, StyleSpecification } from 'maplibre-gl'
import workerUrl from 'maplibre-gl/dist/maplibre-gl-worker.mjs?url'
import 'maplibre-gl/dist/maplibre-gl.css'
import type { Step } from './reducer'

const NOTHING = { type: 'FeatureCollection' as const, features: [] }
/** Map pictures that lie on the map at a time: the latest are the closest looks. */
const MOST_PICTURES = 12

export async function createMap(container: HTMLElement, style: Promise<StyleSpecification>): Promise<MapLibre> {
  const { Map, NavigationControl, ScaleControl, setWorkerUrl } = await import('maplibre-gl')
  setWorkerUrl(new URL(workerUrl, location.href).href)
  const map = new Map({
    container,
    style: await style,
    center: [10, 25],
    zoom: 1,
    maxZoom: 19,
    attributionControl: { compact: true },
    dragRotate: false,
    pitchWithRotate: false,
    fadeDuration: 100,
    renderWorldCopies: true,
  })
  map.touchZoomRotate.disableRotation()
  map.addControl(new NavigationControl({ showCompass: false }), 'top-right')
  map.addControl(new ScaleControl(), 'bottom-right')
  return map
}

/** The layers of what the agent did, above the base map. */
export function addOverlays(map: MapLibre): void {
  map.addSource('shapes', { type: 'geojson', data: NOTHING })
  map.addSource('points', { type: 'geojson', data: NOTHING })
  map.addLayer({ id: 'radius', type: 'fill', source: 'shapes', filter: ['==', ['get', 'kind'], 'radius'], paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.1 } })
  map.addLayer({ id: 'radius-line', type: 'line', source: 'shapes', filter: ['==', ['get', 'kind'], 'radius'], paint: { 'line-color': ['get', 'colour'], 'line-width': 2 } })
  map.addLayer({ id: 'areas', type: 'fill', source: 'shapes', filter: ['==', ['get', 'kind'], 'area'], paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.02 } })
  map.addLayer({ id: 'areas-line', type: 'line', source: 'shapes', filter: ['==', ['get', 'kind'], 'area'], paint: { 'line-color': ['get', 'colour'], 'line-width': 1.5, 'line-dasharray': [3, 2] } })
  map.addLayer({ id: 'marked-area', type: 'line', source: 'shapes', filter: ['==', ['get', 'step'], ''], paint: { 'line-color': ['get', 'colour'], 'line-width': 3 } })
  map.addLayer({
    id: 'marked',
    type: 'circle',
    source: 'points',
    filter: ['==', ['get', 'step'], ''],
    paint: { 'circle-radius': 13, 'circle-color': ['get', 'colour'], 'circle-opacity': 0.3, 'circle-stroke-color': ['get', 'colour'], 'circle-stroke-width': 1.5 },
  })
  map.addLayer({
    id: 'points',
    type: 'circle',
    source: 'points',
    layout: { 'circle-sort-key': ['get', 'rank'] },
    paint: {
      'circle-radius': ['match', ['get', 'kind'], 'answer', 9, 'candidate', ['+', 5, ['*', 4, ['get', 'weight']]], 'evidence', 6, 'looked', 6, 3.5],
      'circle-color': ['match', ['get', 'kind'], 'evidence', '#ffd75e', 'looked', 'rgba(255,255,255,0.15)', ['get', 'colour']],
      'circle-opacity': ['match', ['get', 'kind'], 'found', 0.65, 1],
      'circle-stroke-color': ['match', ['get', 'kind'], 'answer', '#ffffff', 'candidate', '#ffffff', 'evidence', '#a87900', ['get', 'colour']],
      'circle-stroke-width': ['match', ['get', 'kind'], 'answer', 3, 'candidate', 2, 'evidence', 2, 'looked', 2, 0],
    },
  })
}

/** Lay the map pictures that the agent saw over their areas, the closest look on top. */
export function showPictures(map: MapLibre, steps: Step[], pictureUrl: (sha256: string) => string | undefined): void {
  const seen = steps.filter((step) => step.area?.picture && pictureUrl(step.area.picture.sha256)).slice(-MOST_PICTURES)
  // By night a sheet of white paper would outshine everything.
  const brightness = document.documentElement.dataset.theme === 'dark' ? 0.72 : 1
  const wanted = new Set(seen.map((step) => `picture:${step.id}`))
  for (const id of Object.keys(map.getStyle().sources)) {
    if (id.startsWith('picture:') && !wanted.has(id)) {
      map.removeLayer(id)
      map.removeSource(id)
    }
  }
  for (const step of [...seen].sort((a, b) => height(b) - height(a))) {
    const id = `picture:${step.id}`
    const area = step.area
    const url = area?.picture && pictureUrl(area.picture.sha256)
    if (!area || !url || map.getSource<ImageSource>(id)) continue
    const { south, west, north, east } = area
    map.addSource(id, { type: 'image', url: new URL(url, location.href).href, coordinates: [[west, north], [east, north], [east, south], [west, south]] })
    map.addLayer({ id, type: 'raster', source: id, paint: { 'raster-opacity': 0.94, 'raster-fade-duration': 150, 'raster-brightness-max': brightness } }, 'radius')
  }
}

function height(step: Step): number {
  return step.area ? step.area.north - step.area.south : 0
}
