// Copyright 2026 the ioq authors. MIT license.

/**
 * Writes the results into `docs/benchmarks.md` and the README: no figure there is typed
 * by hand. Each table stands between two comments, `<!-- bench:NAME -->` and
 * `<!-- /bench:NAME -->`.
 *
 * @module
 */

import type { CaseResult, Result } from "./harness.ts";
import { OTHERS_BUSY_MAX } from "./machine.ts";
import { describeGoals, formatRatio, formatTime } from "./report.ts";
import type { BenchResults, SuiteResult } from "./results.ts";

/** A text with tables of results, and the tables that it has to have. */
export interface ResultsDocument {
  readonly url: URL;
  /** Names of blocks: each has to be there once, and no other. */
  readonly blocks: readonly string[];
}

/** The texts that results are written into. */
export const RESULTS_DOCUMENTS: readonly ResultsDocument[] = [
  { url: new URL("../README.md", import.meta.url), blocks: ["measured", "facts"] },
  {
    url: new URL("../docs/benchmarks.md", import.meta.url),
    blocks: [
      "conditions",
      "ops",
      "forms",
      "files",
      "write",
      "walk",
      "slow",
      "cold",
      "waiting",
      "start",
      "loop",
      "fallback",
      "goals",
    ],
  },
];

/** A table of Markdown: the first column is left-aligned, and others that are text. */
function table(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  text: readonly number[] = [],
): string {
  const rule = head.map((_, i) => i === 0 || text.includes(i) ? "---" : "---:");
  return [head, rule, ...rows].map((row) => `| ${row.join(" | ")} |`).join("\n");
}

function suiteOf({ suites }: BenchResults, name: string): SuiteResult {
  const suite = suites.find((it) => it.name === name);
  if (suite === undefined) {
    throw new Error(`There are no results of the suite '${name}': run all of them`);
  }
  return suite;
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}

/** Where and when it was measured, and what disturbed it. */
function conditions(results: BenchResults): string {
  const { machine, peers, suites, date, rounds, sampleMs } = results;
  const present = Object.entries(peers).filter(([, version]) => version !== null);
  const absent = Object.entries(peers).filter(([, version]) => version === null);
  const disturbed = suites.filter((it) => it.othersBusy > OTHERS_BUSY_MAX);
  return [
    `Measured on ${date.slice(0, 10)}: ${
      machine.cpu ?? "unknown processor"
    }, ${machine.cores} cores, ` +
    `${Math.round(machine.memoryBytes / 2 ** 30)} GiB, Linux ${machine.kernel} ${machine.arch}, ` +
    `Deno ${machine.deno}, liburing ${machine.liburing ?? "of unknown version"};`,
    `beside ${present.map(([name, version]) => `${name} ${version}`).join(", ")}` +
    `${absent.length === 0 ? "" : `, without ${absent.map(([name]) => name).join(", ")}`}.`,
    `Times are medians of up to ${rounds} interleaved samples of ${sampleMs} ms or more, ratios medians of the`,
    "rounds' ratios; above 1 ioq is faster.",
    disturbed.length === 0
      ? "Nothing else ran on the machine."
      : `**Other work used ${
        disturbed.map((it, i) =>
          `${percent(it.othersBusy)}${i === 0 ? " of the machine" : ""} during \`${it.name}\``
        ).join(", ")
      }**: look at the ratios rather than at the times.`,
  ].join("\n");
}

function depth(inFlight: number): string {
  return inFlight === 1 ? "" : `, ${inFlight} in flight`;
}

/** What runners took, and how many times as fast a subject is. */
function beside(subject: Result, peers: readonly Result[]): string {
  return peers.map(({ name, ns, missing }) => {
    if (missing !== undefined) {
      return `${name}: missing, ${missing}`;
    }
    const ratio = subject.ratios[name];
    return `${name} ${formatTime(ns.median)}${
      ratio === undefined ? "" : ` (${formatRatio(ratio)})`
    }`;
  }).join("<br>");
}

/** A row for each of our own forms in a case, with all that it is compared with. */
function casesBesidePeers(suite: SuiteResult): string {
  const groups = new Set<string>();
  const rows = suite.cases.flatMap(({ group, inFlight, results }) => {
    const note = groups.has(group) ? undefined : suite.notes[group];
    groups.add(group);
    const peers = results.filter(({ role }) => role === "peer");
    return results.filter(({ role }) => role === "subject").map((subject, i) => [
      i > 0 ? "" : `${group}${depth(inFlight)}${note === undefined ? "" : `<br>(${note})`}`,
      subject.name,
      subject.missing === undefined ? formatTime(subject.ns.median) : `missing: ${subject.missing}`,
      beside(subject, peers),
    ]);
  });
  return table(["work", "ioq", "takes", "beside (how many times as fast ioq is)"], rows, [1, 3]);
}

/** The same for suites that run at length only: those of them that were measured. */
function casesIfMeasured(results: BenchResults, names: readonly string[]): string {
  const suites = results.suites.filter(({ name }) => names.includes(name));
  return suites.length === 0
    ? "These results are without it."
    : suites.map((suite) => casesBesidePeers(suite)).join("\n\n");
}

/** Where and when it was measured, in a sentence. */
function measured({ machine, date }: BenchResults): string {
  return `Measured on ${date.slice(0, 10)} with ${machine.cores} processors (${
    machine.cpu ?? "unknown"
  }), Linux ${machine.kernel.split("-")[0]}, Deno ${machine.deno}; all files cached.`;
}

/** What the README tells of: a suite's case, in the words of somebody who uses it. */
const FACTS: readonly {
  readonly suite: string;
  readonly group: string;
  readonly inFlight: number;
  readonly subject: string;
  readonly words: string;
  /** Whether its suite runs at length only, so that there may be no results of it. */
  readonly ifMeasured?: boolean;
}[] = [
  {
    suite: "walk",
    group: "walk a tree",
    inFlight: 1,
    subject: "walk",
    words: "`walk()` of a tree",
  },
  {
    suite: "walk",
    group: "commands, whole, on /usr",
    inFlight: 1,
    subject: "ioq find",
    words: "the command `ioq find`",
  },
  {
    suite: "files",
    group: "read a small file",
    inFlight: 64,
    subject: "readFiles",
    words: "`readFiles()`, for each file",
  },
  {
    suite: "ops",
    group: "stat",
    inFlight: 128,
    subject: "promise",
    words: "`stat()`, 128 at a time",
  },
  {
    suite: "ops",
    group: "stat",
    inFlight: 1,
    subject: "promise",
    words: "`stat()`, one at a time",
  },
  {
    suite: "files",
    group: "event-loop delay, 99th percentile, reading 64 × 1 MiB",
    inFlight: 64,
    subject: "promise",
    words: "a timer's delay while 64 MiB are read, 99th percentile",
  },
  ...([
    ["import the package", "ioq", "importing the package"],
    ["Ioq.open()", "ioq, embedded library", "`Ioq.open()`, the first one"],
    ["the first stat", "ioq", "the first `stat()`"],
    ["find in an empty directory", "ioq find", "the command `ioq find`, in an empty directory"],
    ["du -s /usr", "ioq du", "the command `ioq du -s /usr`"],
    ["a script that walks a tree and ends", "walk.batches", "a script that walks a tree and ends"],
  ] as const).map(([group, subject, words]) => ({
    suite: "start",
    group,
    inFlight: 1,
    subject,
    words,
    ifMeasured: true,
  })),
];

/** A few results in words, with those that are faster apart from those that are slower. */
function facts(results: BenchResults): string {
  const rows = FACTS.filter(({ suite, ifMeasured }) =>
    !ifMeasured || results.suites.some(({ name }) => name === suite)
  ).map(({ suite, group, inFlight, subject: name, words }) => {
    const { cases, notes } = suiteOf(results, suite);
    const found = cases.find((it) => it.group === group && it.inFlight === inFlight);
    const subject = found?.results.find((it) => it.name === name);
    if (found === undefined || subject === undefined) {
      throw new Error(`There is no result of '${name}' for '${group}', ${inFlight} in flight`);
    }
    const peers = found.results.filter(({ role }) => role === "peer");
    const slower = peers.filter(({ name }) => (subject.ratios[name] ?? 0) >= 1);
    const others = peers.filter((it) => !slower.includes(it));
    const note = suite === "ops" ? undefined : notes[group];
    return [
      note === undefined ? words : `${words}<br>(${note})`,
      subject.missing === undefined ? formatTime(subject.ns.median) : `missing: ${subject.missing}`,
      beside(subject, slower) || "none",
      beside(subject, others) || "none",
    ];
  });
  return table(["work", "ioq", "ioq is faster than", "ioq is slower than"], rows, [2, 3]);
}

/** The operations that have peers, with one and with many in flight. */
function ops(results: BenchResults): string {
  const { cases, notes } = suiteOf(results, "ops");
  const rows = cases.flatMap(({ group, inFlight, results }) => {
    const [asynchronous, synchronous] = results.filter(({ role }) => role === "peer");
    const subject = results.find(({ name }) => name === "promise");
    const sameGroup = cases.filter((it) => it.group === group);
    const shown = inFlight === 1 || inFlight === sameGroup.at(-1)!.inFlight;
    if (asynchronous === undefined || synchronous === undefined || !subject || !shown) {
      return [];
    }
    return [[
      `${group}, ${inFlight} in flight${inFlight === 1 ? `<br>(${notes[group]})` : ""}`,
      ...[subject, asynchronous, synchronous].map(({ ns }) => formatTime(ns.median)),
      ...[asynchronous, synchronous].map(({ name }) => formatRatio(subject.ratios[name]!)),
    ]];
  });
  return table(["operation", "ioq", "Deno, async", "Deno, sync", "vs async", "vs sync"], rows);
}

/** What the forms of the queue cost. */
function forms(results: BenchResults): string {
  const deepest = new Map<string, CaseResult>();
  for (const item of suiteOf(results, "ops").cases) {
    deepest.set(item.group, item);
  }
  const names = ["promise", "stream", "batch"];
  const rows = [...deepest.values()].map(({ group, inFlight, results }) => [
    `${group}, ${inFlight} in flight`,
    ...names.map((name) => formatTime(results.find((it) => it.name === name)!.ns.median)),
  ]);
  return table(["operation", "promises", "`for await (… of ioq)`", "`ioq.batches()`"], rows);
}

/** Each backend beside Deno's calls. */
function fallback(results: BenchResults): string {
  const { cases, notes } = suiteOf(results, "fallback");
  const backends = cases[0]!.results.filter(({ role }) => role === "subject");
  const head = cases.map(({ group, inFlight, results }) => {
    const peers = results.filter(({ role }) => role === "peer").map(({ name }) => `\`${name}\``);
    const note = notes[group];
    return `${group}${depth(inFlight)}${note === undefined ? "" : ` (${note})`}, vs ${
      peers.join(" / ")
    }`;
  });
  const rows = backends.map(({ name }) => [
    name,
    ...cases.map(({ results }) => {
      const subject = results.find((it) => it.name === name)!;
      return subject.missing === undefined
        ? `${formatTime(subject.ns.median)}<br>${
          Object.values(subject.ratios).map(formatRatio).join(" / ")
        }`
        : "missing";
    }),
  ]);
  const peers = [
    "Deno's calls",
    ...cases.map(({ results }) =>
      results.filter(({ role }) => role === "peer").map(({ ns }) => formatTime(ns.median))
        .join(" / ")
    ),
  ];
  return table(["backend", ...head], [...rows, peers]);
}

/** What was to be reached, and whether it is. */
function goals(results: BenchResults): string {
  const rows = results.suites.flatMap((suite) =>
    describeGoals(suite.goals, suite.facts).map(({ about, measured, goal, reached }) => [
      suite.name,
      about,
      goal,
      measured,
      reached === undefined ? "not measured" : reached ? "reached" : "**not reached**",
    ])
  );
  return table(["suite", "what", "goal", "measured", ""], rows, [1, 4]);
}

const BLOCKS: Readonly<Record<string, (results: BenchResults) => string>> = {
  measured,
  facts,
  conditions,
  ops,
  forms,
  files: (results) => casesBesidePeers(suiteOf(results, "files")),
  write: (results) => casesIfMeasured(results, ["write", "write-disk"]),
  walk: (results) => casesBesidePeers(suiteOf(results, "walk")),
  slow: (results) => casesIfMeasured(results, ["slow"]),
  cold: (results) => casesIfMeasured(results, ["cold"]),
  waiting: (results) => casesIfMeasured(results, ["waiting"]),
  start: (results) => casesIfMeasured(results, ["start"]),
  loop: (results) => casesBesidePeers(suiteOf(results, "loop")),
  fallback,
  goals,
};

/**
 * Put results in between the comments of a text.
 *
 * @param blocks The names of the blocks that the text has to have.
 * @throws {Error} If a block is not there exactly once, or the text has another one.
 */
export function fillIn(text: string, results: BenchResults, blocks: readonly string[]): string {
  const found: string[] = [];
  const filled = text.replaceAll(
    /<!-- bench:(\w+) -->\n[^]*?<!-- \/bench:\1 -->/g,
    (_, name: string) => {
      const make = BLOCKS[name];
      if (make === undefined || !blocks.includes(name)) {
        throw new Error(`There is no block of results '${name}'`);
      }
      found.push(name);
      return `<!-- bench:${name} -->\n${make(results)}\n<!-- /bench:${name} -->`;
    },
  );
  for (const name of blocks) {
    if (found.filter((it) => it === name).length !== 1) {
      throw new Error(`The block of results '${name}' has to be there once`);
    }
  }
  return filled;
}

/** Write results into the README and the page of benchmarks. */
export async function writeReadme(results: BenchResults): Promise<void> {
  for (const { url, blocks } of RESULTS_DOCUMENTS) {
    await Deno.writeTextFile(url, fillIn(await Deno.readTextFile(url), results, blocks));
  }
}
