// Copyright 2026 the ioq authors. MIT license.

/**
 * Writes the results into the README: no figure there is typed by hand. Each table
 * stands between two comments, `<!-- bench:NAME -->` and `<!-- /bench:NAME -->`.
 *
 * @module
 */

import type { CaseResult, Result } from "./harness.ts";
import { OTHERS_BUSY_MAX } from "./machine.ts";
import { describeGoals, formatRatio, formatTime } from "./report.ts";
import type { BenchResults, SuiteResult } from "./results.ts";

/** Where it is. */
const README = new URL("../README.md", import.meta.url);

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
        ? Object.values(subject.ratios).map(formatRatio).join(" / ")
        : "missing";
    }),
  ]);
  return table(["backend", ...head], rows);
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
  conditions,
  ops,
  forms,
  files: (results) => casesBesidePeers(suiteOf(results, "files")),
  walk: (results) => casesBesidePeers(suiteOf(results, "walk")),
  loop: (results) => casesBesidePeers(suiteOf(results, "loop")),
  fallback,
  goals,
};

/**
 * Put results in between the comments of a text.
 *
 * @throws {Error} If a block is not there exactly once, or the text has an unknown one.
 */
export function fillIn(text: string, results: BenchResults): string {
  const found: string[] = [];
  const filled = text.replaceAll(
    /<!-- bench:(\w+) -->\n[^]*?<!-- \/bench:\1 -->/g,
    (_, name: string) => {
      const make = BLOCKS[name];
      if (make === undefined) {
        throw new Error(`There is no block of results '${name}'`);
      }
      found.push(name);
      return `<!-- bench:${name} -->\n${make(results)}\n<!-- /bench:${name} -->`;
    },
  );
  for (const name of Object.keys(BLOCKS)) {
    if (found.filter((it) => it === name).length !== 1) {
      throw new Error(`The block of results '${name}' has to be there once`);
    }
  }
  return filled;
}

/** Write results into the README. */
export async function writeReadme(results: BenchResults): Promise<void> {
  await Deno.writeTextFile(README, fillIn(await Deno.readTextFile(README), results));
}
