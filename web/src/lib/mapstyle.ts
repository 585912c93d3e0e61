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

/** The style of the server's own vector tiles, of tiles that it was told of, or of the built-in world. */
export async function styleFor(theme: 'light' | 'dark', setup: Setup, language: string): Promise<StyleSpecification> {
  if (!setup.style) return simple(theme, setup)
  const response = await fetch(`${setup.style}?language=${language}`)
  if (!response.ok) return simple(theme, setup)
  const style = (await response.json()) as StyleSpecification
  return theme === 'dark' ? { ...style, layers: darkened(style.layers) as StyleSpecification['layers'] } : style
}

/** Everything in it that is a colour, with its lightness turned over: what was paper is night, ink is light. */
export function darkened(value: unknown): unknown {
  if (typeof value === 'string') return /^(#[0-9a-f]{3,8}|rgba?\(.*\))$/i.test(value) ? night(value) : value
  if (Array.isArray(value)) return value.map(darkened)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, darkened(one)]))
}

function night(colour: string): string {
  const [r = 0, g = 0, b = 0, a = 1] = numbers(colour)
  const [high, low] = [Math.max(r, g, b) / 255, Math.min(r, g, b) / 255]
  const light = (high + low) / 2
  const turned = 0.1 + (1 - light) * 0.72
  // The grey of the new lightness, with some of the old colour.
  const mix = (part: number): number => Math.round(255 * Math.min(Math.max(turned + (part / 255 - light) * 0.45, 0), 1))
  return `rgba(${mix(r)}, ${mix(g)}, ${mix(b)}, ${a})`
}

function numbers(colour: string): number[] {
  if (!colour.startsWith('#')) return (colour.match(/[\d.]+/g) ?? []).map(Number)
  const hex = colour.length < 6 ? colour.slice(1).replace(/./g, '$&$&') : colour.slice(1)
  const parts = hex.match(/../g)?.map((part) => parseInt(part, 16)) ?? []
  return [...parts.slice(0, 3), (parts[3] ?? 255) / 255]
}

function simple(theme: 'light' | 'dark', setup: Setup): StyleSpecification {
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
