import { describe, expect, it } from 'vitest'
import { darkened } from '../src/lib/mapstyle'

describe('a style for the night', () => {
  it('turns colours over and leaves everything else as it is', () => {
    const paper = { id: 'a', paint: { 'fill-color': ['match', ['get', 'class'], 'x', '#ffffff', '#000'], 'fill-opacity': 0.5 } }
    expect(darkened(paper)).toEqual({
      id: 'a',
      paint: { 'fill-color': ['match', ['get', 'class'], 'x', 'rgba(26, 26, 26, 1)', 'rgba(209, 209, 209, 1)'], 'fill-opacity': 0.5 },
    })
  })

  it('keeps hue and transparency', () => {
    const [r, g, b, a] = String(darkened('rgba(170, 211, 223, 0.5)')).match(/[\d.]+/g)!.map(Number)
    expect(b).toBeGreaterThan(r!)
    expect(Math.max(r!, g!, b!)).toBeLessThan(128)
    expect(a).toBe(0.5)
  })
})
