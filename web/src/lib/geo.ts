// Positions are WGS-84 degrees. Distances are on a sphere: for drawing, not for scoring.

const EARTH_KM = 6371.0088
const RADIANS = Math.PI / 180

export interface LatLon {
  lat: number
  lon: number
}

export function distanceKm(a: LatLon, b: LatLon): number {
  const [latA, latB] = [a.lat * RADIANS, b.lat * RADIANS]
  const h =
    Math.sin((latB - latA) / 2) ** 2 +
    Math.cos(latA) * Math.cos(latB) * Math.sin(((b.lon - a.lon) * RADIANS) / 2) ** 2
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)))
}

/** The ring of a circle on the sphere, [lon, lat], closed. */
export function circle(centre: LatLon, km: number, points = 96): [number, number][] {
  const [lat, lon, d] = [centre.lat * RADIANS, centre.lon * RADIANS, km / EARTH_KM]
  const ring: [number, number][] = []
  for (let n = 0; n <= points; n++) {
    const bearing = (2 * Math.PI * n) / points
    const there = Math.asin(Math.sin(lat) * Math.cos(d) + Math.cos(lat) * Math.sin(d) * Math.cos(bearing))
    const along = Math.atan2(
      Math.sin(bearing) * Math.sin(d) * Math.cos(lat),
      Math.cos(d) - Math.sin(lat) * Math.sin(there),
    )
    ring.push([(lon + along) / RADIANS, there / RADIANS])
  }
  return ring
}

/** Mercator, both from 0 to 1; latitudes beyond 85 degrees are cut off. */
export function mercator(lat: number, lon: number): [x: number, y: number] {
  const bounded = Math.min(Math.max(lat, -85.0511), 85.0511)
  const y = 0.5 - Math.log(Math.tan(Math.PI / 4 + (bounded * Math.PI) / 360)) / (2 * Math.PI)
  return [lon / 360 + 0.5, y]
}

const A = 6378245
const EE = 0.00669342162296594323

/**
 * GCJ-02 to WGS-84, by the published approximation and one correction: right to a few metres, which is for
 * drawing where the tools of `amap` looked. Answers are converted by the agent itself.
 */
export function fromGcj02({ lat, lon }: LatLon): LatLon {
  if (lon < 72.004 || lon > 137.8347 || lat < 0.8293 || lat > 55.8271) return { lat, lon }
  const first = shifted(lat, lon)
  const [guessLat, guessLon] = [2 * lat - first.lat, 2 * lon - first.lon]
  const second = shifted(guessLat, guessLon)
  return { lat: guessLat + lat - second.lat, lon: guessLon + lon - second.lon }
}

function shifted(lat: number, lon: number): LatLon {
  const [x, y] = [lon - 105, lat - 35]
  const wave = (a: number, b: number, v: number): number =>
    ((a * Math.sin(v * Math.PI) + b * Math.sin((v / 3) * Math.PI)) * 2) / 3
  const common = ((20 * Math.sin(6 * x * Math.PI) + 20 * Math.sin(2 * x * Math.PI)) * 2) / 3
  const north =
    -100 + 2 * x + 3 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * Math.sqrt(Math.abs(x)) + common +
    wave(20, 40, y) + ((160 * Math.sin((y / 12) * Math.PI) + 320 * Math.sin((y * Math.PI) / 30)) * 2) / 3
  const east =
    300 + x + 2 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * Math.sqrt(Math.abs(x)) + common +
    wave(20, 40, x) + ((150 * Math.sin((x / 12) * Math.PI) + 300 * Math.sin((x / 30) * Math.PI)) * 2) / 3
  const magic = 1 - EE * Math.sin(lat * RADIANS) ** 2
  const root = Math.sqrt(magic)
  return {
    lat: lat + (north * 180) / (((A * (1 - EE)) / (magic * root)) * Math.PI),
    lon: lon + (east * 180) / ((A / root) * Math.cos(lat * RADIANS) * Math.PI),
  }
}
