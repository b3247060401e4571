// A map of countries, the small ones as circles. Their shapes are loaded as a file of their own.

import type { JSX } from "preact";
import { geoMercator, geoNaturalEarth1, geoPath, type GeoProjection } from "d3-geo";
import type { FeatureCollection, GeometryObject } from "geojson";
import { Legend, type LegendItem } from "./line.tsx";
import { Reader, type ReadPoint } from "./reader.tsx";

/** What the build keeps of each country of the atlas (world.ts). */
export interface Country {
  /** The code of ISO 3166-1 alpha-2; empty for a territory without one. */
  readonly code: string;
  readonly centre: readonly [number, number];
  /** The west, south, east and north end of its largest area. */
  readonly box: readonly [number, number, number, number];
  readonly small: boolean;
}

export type World = FeatureCollection<GeometryObject, Country>;

export interface MapPoint extends ReadPoint {
  readonly code: string;
  readonly n: number;
  readonly look: string;
}

interface Props {
  readonly label: string;
  readonly world: World;
  readonly points: readonly MapPoint[];
  readonly whole: boolean;
  readonly legend: readonly LegendItem[];
  readonly onPick?: (index: number) => void;
}

/** The share of the answers that the map shows when it is zoomed in. */
const IN_VIEW = 0.98;

export function WorldMap(props: Props): JSX.Element {
  const { points, world } = props;
  const countries = new Map(world.features.map((f) => [f.properties.code, f.properties]));
  const at = (x: number, y: number, width: number): number | null => {
    const found = pointAt(world, projection(props, countries, width), x, y, points);
    return found < 0 ? null : found;
  };
  return (
    <Reader
      label={props.label}
      points={points}
      legend={<Legend items={props.legend} />}
      onPick={props.onPick}
      at={at}
    >
      {(width, index) => {
        const project = projection(props, countries, width);
        const path = geoPath(project);
        const looks = new Map(
          points.map((point, i) => [point.code, point.look + (i === index ? " read" : "")]),
        );
        const read = index === null ? undefined : points[index]?.code;
        return (
          <svg
            class="map"
            width={width}
            height={mapHeight(width)}
            viewBox={`0 0 ${width} ${mapHeight(width)}`}
            aria-hidden="true"
          >
            {world.features.map(
              (feature, i) =>
                feature.geometry.type !== "Point" && (
                  <path
                    key={i}
                    class={`land ${looks.get(feature.properties.code) ?? ""}`}
                    d={path(feature) ?? ""}
                  />
                ),
            )}
            {world.features.map(({ properties: { code, small, centre } }) => {
              const place = small && looks.has(code) && project([...centre]);
              return (
                place && (
                  <circle
                    key={code}
                    class={`land ${looks.get(code)}`}
                    cx={place[0]}
                    cy={place[1]}
                    r={code === read ? 7 : 5}
                  />
                )
              );
            })}
          </svg>
        );
      }}
    </Reader>
  );
}

function mapHeight(width: number): number {
  return Math.round(Math.min(520, width * (width < 520 ? 0.8 : 0.52)));
}

function projection(
  { points, whole, world }: Props,
  countries: ReadonlyMap<string, Country>,
  width: number,
): GeoProjection {
  const size: [number, number] = [width, mapHeight(width)];
  const corners = whole
    ? []
    : boxes(points, countries).flatMap(([w, s, e, n]) => [[w, s], [e, n]]);
  if (!corners.length) return geoNaturalEarth1().fitSize(size, world);
  return geoMercator().fitExtent(
    [
      [24, 24],
      [size[0] - 24, size[1] - 24],
    ],
    { type: "MultiPoint", coordinates: corners },
  );
}

/** The boxes of the countries that nearly all answers come from. */
function boxes(
  points: readonly MapPoint[],
  countries: ReadonlyMap<string, Country>,
): Country["box"][] {
  const known = points.filter((p) => countries.has(p.code) && p.n > 0).sort((a, b) => b.n - a.n);
  const all = known.reduce((sum, p) => sum + p.n, 0);
  let seen = 0;
  const found: Country["box"][] = [];
  for (const { code, n } of known) {
    const box = countries.get(code)?.box;
    if (box && seen < IN_VIEW * all) found.push(box);
    seen += n;
  }
  return found;
}

/** The nearest small country within reach of the pointer, otherwise the country below it. */
function pointAt(
  world: World,
  project: GeoProjection,
  x: number,
  y: number,
  points: readonly MapPoint[],
): number {
  const index = new Map(points.map((p, i) => [p.code, i]));
  for (const { properties } of world.features) {
    const i = index.get(properties.code);
    const place = properties.small && i !== undefined && project([...properties.centre]);
    if (place && i !== undefined && Math.hypot(place[0] - x, place[1] - y) < 8) return i;
  }
  const where = project.invert?.([x, y]);
  if (!where) return -1;
  const found = world.features.find(
    (f) => index.has(f.properties.code) && contains(f.geometry, where),
  );
  return found ? (index.get(found.properties.code) ?? -1) : -1;
}

/**
 * Whether a point is in a shape, by casting a ray on the plane. The shapes are fine enough for
 * that, so that d3's slower computation on a sphere is not needed.
 */
function contains(geometry: GeometryObject, point: readonly [number, number]): boolean {
  if (geometry.type === "Polygon") {
    return inPolygon((geometry as GeoJSON.Polygon).coordinates, point);
  }
  if (geometry.type === "MultiPolygon") {
    return (geometry as GeoJSON.MultiPolygon).coordinates.some((p) => inPolygon(p, point));
  }
  return false;
}

function inPolygon(rings: readonly number[][][], point: readonly [number, number]): boolean {
  return rings.reduce((inside, ring) => (inRing(ring, point) ? !inside : inside), false);
}

function inRing(ring: readonly number[][], [x, y]: readonly [number, number]): boolean {
  let inside = false;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    const [xi = 0, yi = 0] = ring[i] ?? [];
    const [xj = 0, yj = 0] = ring[j] ?? [];
    if (yi > y !== yj > y && x < ((xj - xi) * (y - yi)) / (yj - yi) + xi) inside = !inside;
  }
  return inside;
}
