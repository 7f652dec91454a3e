// Copyright 2026 the ioq authors. MIT license.

/**
 * The charts of the benchmarks.
 */

import { assert, assertEquals } from "@std/assert";
import { chartUrl, drawChart, headlines, THEMES } from "../bench/chart.ts";
import type { Result } from "../bench/harness.ts";
import { versionIn } from "../bench/peer_versions.ts";
import { type BenchResults, readResults } from "../bench/results.ts";

function result(name: string, role: "subject" | "peer", ns: number, missing?: string): Result {
  return {
    name,
    role,
    ...missing === undefined ? {} : { missing },
    operationsPerSample: 1,
    ns: { median: ns, min: ns, max: ns },
    operationsPerSecond: 1e9 / ns,
    ratios: {},
  };
}

const results: BenchResults = {
  date: "2026-01-02T03:04:05.000Z",
  machine: {
    cpu: 'A "fast" <CPU> & more',
    cores: 2,
    memoryBytes: 2 ** 32,
    kernel: "6.18",
    arch: "x86_64",
    deno: "2.9.6",
    v8: "14",
    liburing: null,
  },
  peers: { fio: "3.33", node: null },
  rounds: 7,
  sampleMs: 36,
  suites: [{
    name: "ops",
    backend: null,
    seconds: 1,
    othersBusy: 0,
    notes: { stat: "2 files" },
    peers: {},
    facts: [],
    cases: [
      { group: "stat", inFlight: 1, results: [result("promise", "subject", 4000)] },
      {
        group: "stat",
        inFlight: 128,
        results: [
          result("promise", "subject", 1000),
          result("a form without a goal", "subject", 900),
          result("Deno.stat", "peer", 10_000),
          result("fio", "peer", 0, "there is no fio here"),
        ],
      },
      { group: "nop", inFlight: 256, results: [result("batch", "subject", 10)] },
    ],
    goals: [
      {
        group: "stat",
        subject: "promise",
        inFlight: [1],
        peer: "Deno.stat",
        atLeast: 1,
        headline: true,
        measured: 10,
        reached: true,
      },
      { group: "nop", subject: "batch", inFlight: [256], atLeast: 1, measured: 2, reached: true },
    ],
  }],
};

Deno.test("the chart shows what headlines are about, at its deepest", () => {
  const [item, ...others] = headlines(results.suites[0]!);
  assertEquals([item?.group, item?.inFlight, others], ["stat", 128, []]);
  assertEquals(item?.results.map(({ name }) => name), ["promise", "Deno.stat", "fio"]);
});

Deno.test("the chart's bars are rates, and who is missing is named", () => {
  const svg = drawChart(results, "light");
  const bars = [...svg.matchAll(/<rect [^>]*width="([\d.]+)"/g)].map(([, width]) => Number(width));
  assertEquals(bars.length, 2);
  assertEquals(Math.round(bars[0]! / bars[1]!), 10);
  for (
    const part of [
      "ops: stat, 128 in flight (2 files)",
      ">ioq, promise<",
      ">1.00 µs<",
      ">10.0 µs<",
      ">missing: there is no fio here<",
      "A &quot;fast&quot; &lt;CPU&gt; &amp; more",
      "Peers: fio 3.33; not here: node",
      "2026-01-02",
    ]
  ) {
    assert(svg.includes(part), `${part} in ${svg}`);
  }
});

Deno.test("the charts are well-formed, and differ in their colours alone", () => {
  const [light, dark] = (["light", "dark"] as const).map((it) => drawChart(results, it));
  for (const svg of [light!, dark!]) {
    const open: string[] = [];
    for (
      const [, end, name, empty] of svg.matchAll(/<(\/?)(\w+)(?:\s+[\w-]+="[^"<>&]*")*\s*(\/?)>/g)
    ) {
      if (end) {
        assertEquals(open.pop(), name);
      } else if (!empty) {
        open.push(name!);
      }
    }
    assertEquals(open, []);
    assertEquals(svg.match(/</g)!.length, svg.match(/<\/?\w+/g)!.length);
  }
  const withoutColours = (svg: string) => svg.replaceAll(/#[0-9a-f]{6}/g, "");
  assert(light !== dark);
  assertEquals(withoutColours(light!), withoutColours(dark!));
});

Deno.test("the charts in the checkout are those of its results, and the page of benchmarks shows them", async () => {
  const stored = await readResults();
  const page = await Deno.readTextFile(new URL("../docs/benchmarks.md", import.meta.url));
  for (const theme of Object.keys(THEMES) as (keyof typeof THEMES)[]) {
    assertEquals(
      await Deno.readTextFile(chartUrl(theme)),
      drawChart(stored, theme),
      "draw them again: deno task bench --readme",
    );
    assert(page.includes(`bench/chart-${theme}.svg`), theme);
  }
});

Deno.test("versionIn() finds the number in what programs say of themselves", () => {
  assertEquals(versionIn("v22.11.0\n"), "22.11.0");
  assertEquals(versionIn("fio-3.33\n"), "3.33");
  assertEquals(versionIn("find (GNU findutils) 4.9.0\nCopyright"), "4.9.0");
  assertEquals(versionIn("cc (Debian 12.2.0-14+deb12u1) 12.2.0"), "12.2.0-14+deb12u1");
  assertEquals(versionIn("no idea"), null);
});
