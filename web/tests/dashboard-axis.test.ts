// The upright axis of a line chart: its span, its ticks and the room for their texts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { scaleLinear } from "d3-scale";
import { axisDomain, axisRoom, axisTicks } from "../src/dashboard/charts/axis.ts";
import * as format from "../src/dashboard/format.ts";

const PERCENT = [0, 100] as const;
const MONEY = [-Number.MAX_VALUE, Number.MAX_VALUE] as const;

function texts(domain: readonly [number, number], write: (value: number) => string): string[] {
  return axisTicks(scaleLinear().domain(domain).nice(4), write).map(({ text }) => text);
}

test("the axis takes in all values with some air, and passes no bound", () => {
  assert.deepEqual(axisDomain([40, 60], PERCENT), [39, 61]);
  assert.deepEqual(axisDomain([0, 100], PERCENT), [0, 100]);
  assert.deepEqual(axisDomain([7], MONEY), [6, 8]);
});

test("without values it shows all that there may be", () => {
  assert.deepEqual(axisDomain([], PERCENT), [0, 100]);
  assert.deepEqual(axisDomain([], MONEY), [0, 1]);
});

test("no two ticks have the same text, however close the values are", () => {
  const percent = (value: number): string => format.percent(value, 0);
  for (const domain of [[0, 1], [99.4, 100], [98.9, 100], [0, 100], [49.9, 50.1]] as const) {
    const found = texts(domain, percent);
    assert.equal(new Set(found).size, found.length, `${domain} has ${found}`);
  }
  assert.deepEqual(texts([0, 100], percent).at(-1), "100\u00a0%");
});

test("long texts get the room that they need, short ones no less than usual", () => {
  const count = (value: number): string => format.count(Math.round(value));
  const millions = axisTicks(scaleLinear().domain([0, 1e9]).nice(4), count);
  assert.ok(millions.some(({ text }) => text === "1,000,000,000"));
  assert.ok(axisRoom(millions, 44) >= "1,000,000,000".length * 6);
  assert.equal(axisRoom(axisTicks(scaleLinear().domain([0, 10]), count), 44), 44);
});
