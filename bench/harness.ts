// Copyright 2026 the ioq authors. MIT license.

/**
 * How things are measured.
 *
 * A case is a piece of work with several runners that all do it: subjects, which
 * are forms of this queue, and peers, which are what one would use otherwise.
 *
 *     verify      each runner does the same few operations: the checksums agree
 *     calibrate   each is warmed up, and finds how many operations a sample takes
 *     round 1     A B C D        one sample each
 *     round 2     B C D A        the next one begins: nobody is always after D
 *     …
 *
 * The runners of a case take turns, so whatever else the machine does meanwhile
 * hits all of them. A ratio is taken within each round, and the median over the
 * rounds is reported: what slows down a whole round cancels out.
 *
 * @module
 */

/** What a runner brought that measures its time itself: another process. */
export interface Timed {
  /** The sum over all that the operations brought. */
  readonly sum: number;
  /** How many milliseconds they took. */
  readonly ms: number;
}

/**
 * Runs an operation a number of times, and waits for all of them.
 *
 * @returns A sum over all that the operations brought. It shows that the runners
 * of a case do the same, and keeps their results from being optimized away.
 */
export type Run = (count: number) => number | Promise<number | Timed>;

/** How much to measure a case, where it is not like the others. */
export interface Effort {
  /** Samples of each runner, at the most. */
  readonly rounds?: number;
  /** Samples of each runner, at the least. */
  readonly leastRounds?: number;
  /** What a sample should last. */
  readonly sampleMs?: number;
  /** Runs that are long enough before measuring begins. */
  readonly warmRuns?: number;
  /** Operations whose checksums are compared; 0 if another case has compared them. */
  readonly verifyOperations?: number;
}

/** One way of doing the work of a case. */
export interface Runner {
  /** What the table calls it. */
  readonly name: string;
  /** A subject is one of our own forms; a peer is what it is compared to. */
  readonly role: "subject" | "peer";
  /** The work, or why this runner is missing here. */
  readonly run: Run | { readonly missing: string };
}

/** One of our own forms. */
export function subject(name: string, run: Runner["run"]): Runner {
  return { name, role: "subject", run };
}

/** Something to compare with. */
export function peer(name: string, run: Runner["run"]): Runner {
  return { name, role: "peer", run };
}

/** A piece of work. */
export interface Case {
  /** Which table it is a row of. */
  readonly group: string;
  /** Operations in flight at the same time. */
  readonly inFlight: number;
  /** Who does it. */
  readonly runners: readonly Runner[];
  /** How much to measure it. */
  readonly effort?: Effort;
}

/** What was measured of a runner. */
export interface Result {
  /** Its name. */
  readonly name: string;
  /** What it is. */
  readonly role: "subject" | "peer";
  /** Why there is nothing else here. */
  readonly missing?: string;
  /** Operations of one sample. */
  readonly operationsPerSample: number;
  /** Nanoseconds of one operation: the median over the rounds, and the spread. */
  readonly ns: { readonly median: number; readonly min: number; readonly max: number };
  /** Operations per second, by that median. */
  readonly operationsPerSecond: number;
  /** By peer: how many times as fast as it; the median of the rounds' ratios. */
  readonly ratios: Readonly<Record<string, number>>;
}

/** What was measured of a case. */
export interface CaseResult {
  /** Which table it is a row of. */
  readonly group: string;
  /** Operations in flight at the same time. */
  readonly inFlight: number;
  /** Its runners' results, in their order. */
  readonly results: readonly Result[];
}

/** How to measure. */
export interface MeasureOptions {
  /** Samples of each runner. */
  readonly rounds: number;
  /** What a sample should last. Shorter than two thirds of it, it is not counted. */
  readonly sampleMs: number;
  /** Ends the measurement after the sample that is running. */
  readonly signal: AbortSignal;
  /** Called before each step with what it is. */
  readonly onStep: (step: string) => void;
}

/** Operations whose checksums are compared. */
const VERIFY_OPERATIONS = 64;
/** The most operations of a sample. */
const SAMPLE_OPERATIONS_MAX = 2 ** 26;
/** Runs to warm up and to find the sample's length, at the most. */
const CALIBRATIONS_MAX = 32;
/** Runs that are long enough before measuring begins: the compiler has settled by then. */
const WARM_RUNS = 2;

/** A runner with what was found out about it. */
interface Contestant {
  readonly runner: Runner;
  readonly run: Run;
  /** Operations of one sample. */
  count: number;
  /** Nanoseconds of one operation, by round. */
  readonly ns: number[];
}

/** The middle of some numbers. There must be one. */
export function median(numbers: readonly number[]): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/**
 * Run a sample; how many milliseconds it took.
 *
 * The garbage of whoever ran before is swept up within it. To collect it first
 * would be worse: V8 shrinks its young generation when told to, and what makes
 * much garbage then takes twice as long.
 */
async function sample(run: Run, count: number): Promise<number> {
  const start = performance.now();
  let sum: number | Timed | Promise<number | Timed> = run(count);
  // A synchronous runner must not pay for a promise
  if (typeof sum !== "number") {
    sum = await sum;
  }
  return typeof sum === "number" ? performance.now() - start : sum.ms;
}

/** Have all runners of a case do the same, and compare what came of it. */
async function verify(item: Case, contestants: readonly Contestant[]): Promise<void> {
  if (item.effort?.verifyOperations === 0) {
    return;
  }
  const count = Math.max(item.effort?.verifyOperations ?? VERIFY_OPERATIONS, item.inFlight);
  let expected: number | undefined;
  for (const { run, runner } of contestants) {
    const result = await run(count);
    const sum = typeof result === "number" ? result : result.sum;
    expected ??= sum;
    if (sum !== expected) {
      throw new Error(
        `${item.group}: '${runner.name}' does not do what '${contestants[0]!.runner.name}' does: ` +
          `the sum over ${count} operations is ${sum}, not ${expected}`,
      );
    }
  }
}

/** Warm a runner up and find how many operations a sample takes. */
async function calibrate(
  contestant: Contestant,
  { inFlight, effort }: Case,
  options: MeasureOptions,
): Promise<void> {
  contestant.count = inFlight;
  let warmRuns = 0;
  for (let i = 0; i < CALIBRATIONS_MAX && warmRuns < (effort?.warmRuns ?? WARM_RUNS); i++) {
    if (options.signal.aborted) {
      return;
    }
    const ms = await sample(contestant.run, contestant.count);
    if (ms >= options.sampleMs / 2) {
      warmRuns++;
    }
    // Not by more than 8: the first runs are slower than what is to come
    const factor = Math.min(8, options.sampleMs / Math.max(ms, 1e-3));
    const count = Math.ceil(contestant.count * factor);
    contestant.count = Math.min(SAMPLE_OPERATIONS_MAX, Math.max(inFlight, count));
  }
}

/** Take one sample of a contestant that counts. */
async function measureOnce(contestant: Contestant, options: MeasureOptions): Promise<void> {
  let ms = await sample(contestant.run, contestant.count);
  if (ms < options.sampleMs * 2 / 3 && contestant.count < SAMPLE_OPERATIONS_MAX) {
    // It has become faster since it was calibrated: once more, with more to do
    const factor = Math.min(8, options.sampleMs / Math.max(ms, 1e-3));
    contestant.count = Math.min(SAMPLE_OPERATIONS_MAX, Math.ceil(contestant.count * factor));
    ms = await sample(contestant.run, contestant.count);
  }
  contestant.ns.push(ms * 1e6 / contestant.count);
}

function summarize(contestant: Contestant, contestants: readonly Contestant[]): Result {
  const { runner, ns, count } = contestant;
  const ratios: Record<string, number> = {};
  for (const peer of contestants) {
    if (peer.runner.role === "peer" && peer !== contestant) {
      ratios[peer.runner.name] = median(ns.map((value, round) => peer.ns[round]! / value));
    }
  }
  const middle = median(ns);
  return {
    name: runner.name,
    role: runner.role,
    operationsPerSample: count,
    ns: { median: middle, min: Math.min(...ns), max: Math.max(...ns) },
    operationsPerSecond: 1e9 / middle,
    ratios,
  };
}

function summarizeMissing(runner: Runner, missing: string): Result {
  const { name, role } = runner;
  const ns = { median: NaN, min: NaN, max: NaN };
  return { name, role, missing, operationsPerSample: 0, ns, operationsPerSecond: NaN, ratios: {} };
}

/**
 * Measure a case.
 *
 * @returns The results, or `undefined` if the signal came before there were any.
 * @throws {Error} If a runner fails, or does not do what the others do.
 */
export async function measure(
  item: Case,
  common: MeasureOptions,
): Promise<CaseResult | undefined> {
  const options = {
    ...common,
    rounds: Math.max(
      Math.min(common.rounds, item.effort?.rounds ?? common.rounds),
      item.effort?.leastRounds ?? 1,
    ),
    sampleMs: item.effort?.sampleMs ?? common.sampleMs,
  };
  const contestants: Contestant[] = [];
  for (const runner of item.runners) {
    if (typeof runner.run === "function") {
      contestants.push({ runner, run: runner.run, count: item.inFlight, ns: [] });
    }
  }

  const name = `${item.group}, ${item.inFlight} in flight`;
  options.onStep(`${name}: warming up`);
  await verify(item, contestants);
  for (const contestant of contestants) {
    await calibrate(contestant, item, options);
  }

  for (let round = 0; round < options.rounds; round++) {
    options.onStep(`${name}: round ${round + 1} of ${options.rounds}`);
    for (let i = 0; i < contestants.length; i++) {
      if (options.signal.aborted) {
        return undefined;
      }
      await measureOnce(contestants[(round + i) % contestants.length]!, options);
    }
  }

  const results = item.runners.map((runner) => {
    const contestant = contestants.find((contestant) => contestant.runner === runner);
    return contestant === undefined
      ? summarizeMissing(runner, typeof runner.run === "function" ? "" : runner.run.missing)
      : summarize(contestant, contestants);
  });
  return { group: item.group, inFlight: item.inFlight, results };
}
