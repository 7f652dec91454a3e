// Copyright 2026 the ioq authors. MIT license.

/**
 * The benchmarks: `deno task bench [SUITE…]`, see `--help`.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { writeCharts } from "./chart.ts";
import { type CaseResult, measure, type MeasureOptions } from "./harness.ts";
import { describeMachine, OTHERS_BUSY_MAX, othersBusy, readTicks } from "./machine.ts";
import { findPeerVersions } from "./peer_versions.ts";
import { formatBackend, formatGoals, formatGroup, formatMachine, formatPeers } from "./report.ts";
import { writeReadme } from "./readme.ts";
import { type BenchResults, readResults, RESULTS, type SuiteResult } from "./results.ts";
import { removeScratch } from "./scratch.ts";
import { judge, type OpenSuite, type Suite, type SuiteOptions } from "./suite.ts";
import { fallback } from "./suites/fallback.ts";
import { cold as coldSuite } from "./suites/cold.ts";
import { files } from "./suites/files.ts";
import { globSuite } from "./suites/glob.ts";
import { loop } from "./suites/loop.ts";
import { ops } from "./suites/ops.ts";
import { programs } from "./suites/programs.ts";
import { slow } from "./suites/slow.ts";
import { start } from "./suites/start.ts";
import { waiting } from "./suites/waiting.ts";
import { walkSuite } from "./suites/walk.ts";
import { write, writeDisk } from "./suites/write.ts";

/** All suites, in the order they run. */
const SUITES: readonly Suite[] = [
  start,
  ops,
  files,
  write,
  writeDisk,
  walkSuite,
  globSuite,
  slow,
  coldSuite,
  waiting,
  loop,
  programs,
  fallback,
];

/** Samples of each runner, and how long each is. */
const FULL = { rounds: 7, sampleMs: 36 };
/** With `--quick`. */
const QUICK = { rounds: 3, sampleMs: 12 };

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
const EXIT_INTERRUPTED = 130;

function usage(): string {
  const suites = SUITES.map((suite) => `  ${suite.name.padEnd(12)}${suite.summary}`);
  return `Usage: deno task bench [OPTION…] [SUITE…]

Measure the queue beside its peers. Without a SUITE, all run, and what they measured
goes to bench/results.json, into the charts beside it and into the tables of the
README and of docs/benchmarks.md.

Suites:
${suites.join("\n")}

Options:
  --json FILE   write the results to FILE, and to no other
  --no-cold     not with the kernel's caches dropped, which is done as root only
  --quick       fewer and shorter samples, to see that everything works; writes no file
                but FILE
  --readme      measure nothing: make the charts and the README's tables again from
                bench/results.json
  -h, --help    show this`;
}

/** A mistake on the command line. */
class UsageError extends Error {}

function parse(args: string[]) {
  let parsed;
  try {
    parsed = parseArgs({
      args,
      allowPositionals: true,
      options: {
        json: { type: "string" },
        "no-cold": { type: "boolean", default: false },
        quick: { type: "boolean", default: false },
        readme: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
  } catch (error) {
    throw new UsageError(error instanceof Error ? error.message : String(error));
  }
  const { values, positionals } = parsed;
  for (const name of positionals) {
    if (!SUITES.some((suite) => suite.name === name)) {
      const known = SUITES.map((suite) => suite.name).join(", ");
      throw new UsageError(`There is no suite '${name}'. Suites: ${known}`);
    }
  }
  const suites = positionals.length === 0
    ? SUITES
    : SUITES.filter((suite) => positionals.includes(suite.name));
  const publish = values.json === undefined && !values.quick && positionals.length === 0;
  return { ...values, cold: !values["no-cold"], suites, publish };
}

/** Shows what is going on, if there is someone to see it. */
function makeProgress(): (step: string) => void {
  if (!Deno.stderr.isTerminal()) {
    return () => {};
  }
  const encoder = new TextEncoder();
  // \x1b[K: erase what is left of the line before
  return (step) => Deno.stderr.writeSync(encoder.encode(`\r\x1b[K${step}`));
}

/** Measure an open suite, printing each group's table when it is complete. */
async function runCases(suite: OpenSuite, options: MeasureOptions): Promise<CaseResult[]> {
  const done: CaseResult[] = [];
  const { cases } = suite;
  for (let i = 0; i < cases.length && !options.signal.aborted; i++) {
    const item = cases[i]!;
    const result = await measure(item, options).catch((error) => {
      if (options.signal.aborted) {
        // Ctrl-C ended the processes of peers as well
        return undefined;
      }
      throw error;
    });
    if (result !== undefined) {
      done.push(result);
    }
    if (cases[i + 1]?.group !== item.group || options.signal.aborted) {
      const group = done.filter((result) => result.group === item.group);
      if (group.length > 0) {
        options.onStep("");
        console.log(formatGroup(group, suite.notes[item.group]));
      }
    }
  }
  options.onStep("");
  return done;
}

/** What a suite measured: its result but for what running it took. */
async function measureSuite(
  suite: Suite,
  options: MeasureOptions & SuiteOptions,
): Promise<Omit<SuiteResult, "seconds" | "othersBusy">> {
  options.onStep(`${suite.name}: making what is measured with`);
  await using open = await suite.open(options);
  options.onStep("");
  console.log(`\n${suite.name}: ${suite.summary}`);
  if (open.backend !== undefined) {
    console.log(formatBackend(open.backend));
  }
  console.log();

  const cases = await runCases(open, options);
  const goals = open.goals.map((goal) => judge(goal, cases));
  const facts = open.facts ?? [];
  if (goals.length + facts.length > 0 && !options.signal.aborted) {
    console.log(formatGoals(goals, facts));
  }
  return {
    name: suite.name,
    backend: open.backend ?? null,
    notes: open.notes,
    peers: open.peers ?? {},
    cases,
    goals,
    facts,
  };
}

async function runSuite(
  suite: Suite,
  options: MeasureOptions & SuiteOptions,
): Promise<SuiteResult> {
  const start = performance.now();
  const ticks = readTicks();
  const measured = await measureSuite(suite, options);
  const seconds = (performance.now() - start) / 1000;
  // What the suite's own processes took is known once they have ended
  const others = othersBusy(ticks, readTicks());
  console.log(
    `${suite.name} took ${seconds.toFixed(0)} s; ` +
      `other processes used ${(others * 100).toFixed(0)} % of the machine meanwhile`,
  );
  if (others > OTHERS_BUSY_MAX) {
    console.log("That is too much: expect worse times than on a quiet machine, and other ratios");
  }
  return { ...measured, seconds, othersBusy: others };
}

/**
 * Have Ctrl-C end the measuring. The first one waits for the sample that is running,
 * the second for nothing but that what was made is removed.
 */
function listenForInterrupt(): AbortController {
  const interrupt = new AbortController();
  const onInterrupt = () => {
    if (interrupt.signal.aborted) {
      removeScratch();
      Deno.exit(EXIT_INTERRUPTED);
    }
    interrupt.abort();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    Deno.addSignalListener(signal, onInterrupt);
  }
  return interrupt;
}

/** Run the benchmarks; the exit code. */
async function main(args: string[]): Promise<number> {
  const { suites, json, quick, cold, readme, help, publish } = parse(args);
  if (help) {
    console.log(usage());
    return 0;
  }
  if (readme) {
    const results = await readResults();
    await writeCharts(results);
    await writeReadme(results);
    return 0;
  }
  if (json !== undefined) {
    // Now, not after a minute: throws if it cannot be written
    (await Deno.open(json, { write: true, create: true })).close();
  }

  const interrupt = listenForInterrupt();
  const [machine, peers] = await Promise.all([describeMachine(), findPeerVersions()]);
  const { rounds, sampleMs } = quick ? QUICK : FULL;
  const options = {
    cold,
    quick,
    rounds,
    sampleMs,
    signal: interrupt.signal,
    onStep: makeProgress(),
  };
  const date = new Date().toISOString();
  console.log(formatMachine(machine));
  console.log(formatPeers(peers));
  console.log(`${date}, medians of ${rounds} interleaved samples of ${sampleMs} ms or more`);

  const results: SuiteResult[] = [];
  for (const suite of suites) {
    // Ctrl-C ends the processes of peers as well: then it is not their fault
    const result = await runSuite(suite, options).catch((error) => {
      if (interrupt.signal.aborted) {
        return undefined;
      }
      throw error;
    });
    if (result === undefined || interrupt.signal.aborted) {
      options.onStep("");
      console.error("Interrupted: results are incomplete and were not written");
      return EXIT_INTERRUPTED;
    }
    results.push(result);
    Object.assign(peers, result.peers);
  }
  if (results.length > 1) {
    const seconds = results.reduce((sum, it) => sum + it.seconds, 0);
    console.log(`all suites took ${seconds.toFixed(0)} s`);
  }

  const all: BenchResults = { date, machine, peers, rounds, sampleMs, suites: results };
  const text = `${JSON.stringify(all, null, 2)}\n`;
  if (json !== undefined) {
    await Deno.writeTextFile(json, text);
  } else if (publish) {
    await Deno.writeTextFile(RESULTS, text);
    await writeCharts(all);
    await writeReadme(all);
  }
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exitCode = await main(Deno.args);
  } catch (error) {
    console.error(`bench: ${error instanceof Error ? error.message : error}`);
    Deno.exitCode = error instanceof UsageError ? EXIT_USAGE : EXIT_FAILURE;
  } finally {
    removeScratch();
  }
}
