// The module that the build makes (world.ts), and types that a package lacks.

declare module "virtual:world" {
  import type { GeometryCollection, Topology } from "topojson-specification";
  import type { Country } from "./charts/map.tsx";

  const world: Topology<{ countries: GeometryCollection<Country> }>;
  export default world;
}

declare module "topojson-simplify" {
  import type { Topology } from "topojson-specification";

  export function presimplify<T extends Topology>(topology: T): T;
  export function quantile(topology: Topology, p: number): number;
  export function simplify<T extends Topology>(topology: T, minWeight?: number): T;
}
