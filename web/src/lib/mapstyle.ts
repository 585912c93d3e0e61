// How the map looks: the built-in world, or tiles that the server was told of. No glyphs or sprites are fetched:
// text is drawn with the browser's own fonts.

import type { ExpressionSpecification, StyleSpecification } from 'maplibre-gl'
import type { Setup } from './api'

const COLOURS = {
  light: { sea: '#cddfe9', land: '#f6f4ee', border: '#b3aa99', text: '#4a4f57', halo: '#ffffff' },
  dark: { sea: '#0c151d', land: '#1f2730', border: '#4b5866', text: '#b6c2ce', halo: '#10161c' },
}

/** Coasts are drawn for a view of a country: closer by, what they would say is wrong, so that they fade away. */
function near(far: string, close: string): ExpressionSpecification {
  return ['interpolate', ['linear'], ['zoom'], 8, far, 10, close]
}

export function styleFor(theme: 'light' | 'dark', setup: Setup): StyleSpecification {
  const colours = COLOURS[theme]
  const attribution = setup.attribution
  const base: StyleSpecification = {
    version: 8,
    sources: {
      countries: { type: 'geojson', data: `${location.origin}/api/world/countries`, attribution, tolerance: 0.2, maxzoom: 8 },
      land: { type: 'geojson', data: `${location.origin}/api/world/land`, tolerance: 0.2, maxzoom: 8 },
      cities: { type: 'geojson', data: `${location.origin}/api/world/cities`, maxzoom: 8 },
    },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': near(colours.sea, colours.land) } },
      { id: 'land', type: 'fill', source: 'land', paint: { 'fill-color': colours.land } },
      { id: 'countries', type: 'fill', source: 'countries', paint: { 'fill-color': colours.land } },
      { id: 'borders', type: 'line', source: 'countries', paint: { 'line-color': colours.border, 'line-width': ['interpolate', ['linear'], ['zoom'], 1, 0.4, 6, 1.2], 'line-opacity': ['interpolate', ['linear'], ['zoom'], 8, 1, 10, 0] } },
      {
        id: 'cities',
        type: 'symbol',
        source: 'cities',
        filter: ['>=', ['get', 'people'], ['step', ['zoom'], 8000000, 2.5, 3000000, 4, 1000000, 5, 400000, 6, 0]],
        layout: {
          'text-field': ['get', 'name'],
          'text-font': ['sans-serif'],
          'text-size': ['interpolate', ['linear'], ['zoom'], 2, 11, 8, 14],
          'text-anchor': 'top',
          'text-offset': [0, 0.3],
          'symbol-sort-key': ['-', ['get', 'people']],
        },
        paint: { 'text-color': colours.text, 'text-halo-color': colours.halo, 'text-halo-width': 1.2 },
      },
    ],
  }
  if (!setup.tiles) return base
  return {
    version: 8,
    sources: { tiles: { type: 'raster', tiles: [setup.tiles], tileSize: 256, attribution, maxzoom: 19 } },
    layers: [
      { id: 'sea', type: 'background', paint: { 'background-color': colours.sea } },
      { id: 'tiles', type: 'raster', source: 'tiles', paint: theme === 'dark' ? { 'raster-brightness-max': 0.6, 'raster-saturation': -0.4 } : {} },
    ],
  }
}
