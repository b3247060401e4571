// The page Geo: one measure by country, as a map and a table. Only it loads the map's shapes.

import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { feature } from "topojson-client";
import { WorldMap, type MapPoint, type World } from "../charts/map.tsx";
import { now } from "../estimates.ts";
import * as format from "../format.ts";
import { nameOf } from "../names.ts";
import { label, type Row } from "../reply.ts";
import { look } from "../router.ts";
import { GroupPage, pickGroup, type Grouping, type Groups } from "./groups.tsx";
import type { PageProps } from "./page.ts";
import { t, toTranslate } from "../texts.ts";

const GEO: Grouping = {
  report: "geo",
  title: toTranslate("Countries"),
  text: toTranslate("Where the customers are who answered, and how they scored."),
  by: ["country"],
  noun: toTranslate("country"),
};

export function GeoPage(props: PageProps): JSX.Element {
  const [world, setWorld] = useState<World | null>(null);
  const [whole, setWhole] = useState(false);
  useEffect(() => {
    void import("virtual:world").then(({ default: topology }) =>
      setWorld(feature(topology, topology.objects.countries) as World),
    );
  }, []);
  const chart = (groups: Groups): JSX.Element => (
    <div class="map-frame">
      {world ? (
        <WorldMap
          label={t("Scores by country")}
          world={world}
          points={groups.rows.flatMap((row) => mapPoint(row, groups))}
          whole={whole}
          legend={[
            { look: "fill-bad", text: t("Below all ({score})", { score: scoreOf(groups) }) },
            { look: "fill-neutral", text: t("Too close, or too few, to tell") },
            { look: "fill-good", text: t("Above all") },
          ]}
          onPick={(i) => {
            const row = groups.rows.filter((each) => label(each, "country") !== null)[i];
            if (row) look(pickGroup(props.params, GEO.by, row));
          }}
        />
      ) : (
        <p class="loading">{t("Loading the map …")}</p>
      )}
      <button type="button" aria-pressed={whole} onClick={() => setWhole(!whole)}>
        {whole ? t("Where the answers are") : t("The whole world")}
      </button>
    </div>
  );
  return <GroupPage {...props} grouping={GEO} chart={chart} />;
}

function scoreOf({ total, measure }: Groups): string {
  return format.score(now(total).score, measure.metric);
}

/** A country is coloured if its whole interval is above or below the score of all. */
function mapPoint(row: Row, { total, measure }: Groups): MapPoint[] {
  const code = label(row, "country");
  if (code === null) return [];
  const { n, score, low, high } = now(row);
  const all = now(total).score;
  const below = all !== null && high !== null && high < all;
  const above = all !== null && low !== null && low > all;
  const interval = low === null ? "" : ` (${format.fixed(low, 1)} – ${format.fixed(high, 1)})`;
  const side = below ? `, ${t("below all")}` : above ? `, ${t("above all")}` : "";
  return [
    {
      code,
      n,
      look: score === null ? "" : below ? "fill-bad" : above ? "fill-good" : "fill-neutral",
      words: [
        `${nameOf("country", code)}: ${format.score(score, measure.metric)}${interval}`,
        `, n ${format.count(n)}${side}`,
      ].join(""),
    },
  ];
}
