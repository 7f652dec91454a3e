// Copyright 2026 the ioq authors. MIT license.

/**
 * What a suite of benchmarks is.
 *
 * @module
 */

import type { BackendInfo } from "@ioq/ioq";
import type { Case, CaseResult } from "./harness.ts";
import type { PeerVersions } from "./peer_versions.ts";

/** Something to reach. */
export interface Goal {
  /** Which table it is about. */
  readonly group: string;
  /** Which row of it. */
  readonly subject: string;
  /** Operations in flight; with several, the worst result counts. */
  readonly inFlight: readonly number[];
  /** What to compare the subject to; with none, the rate counts. */
  readonly peer?: string;
  /** How many times as fast as the peer, or how many operations per second. */
  readonly atLeast: number;
  /** Whether the chart shows what it is about. */
  readonly headline?: boolean;
  /** Whether it is about the time of one: `atLeast` is 1e9 over the nanoseconds. */
  readonly asTime?: boolean;
}

/** A goal, and what came of it. */
export interface GoalResult extends Goal {
  /** What was measured, or `undefined` if it was not. */
  readonly measured: number | undefined;
  /** Whether that is enough. */
  readonly reached: boolean;
}

/** Something that is measured once, and not by the clock. */
export interface Fact {
  /** What it is. */
  readonly name: string;
  /** How much of it. */
  readonly value: number;
  /** Of what. */
  readonly unit: string;
  /** The goal. */
  readonly atMost: number;
}

/** A suite that is ready to run. */
export interface OpenSuite extends AsyncDisposable {
  /** What it works on, a line for each group that needs one. */
  readonly notes: Readonly<Record<string, string>>;
  /** Versions of what it compares with beyond the programs that all suites may use. */
  readonly peers?: PeerVersions;
  /** What it measured when it was opened. */
  readonly facts?: readonly Fact[];
  /** The backend of its queue, if it has one. */
  readonly backend: BackendInfo | undefined;
  /** Its cases, those of one group together. */
  readonly cases: readonly Case[];
  /** What is to be reached. */
  readonly goals: readonly Goal[];
}

/** What the command line says about what to measure. */
export interface SuiteOptions {
  /** Whether to drop the kernel's caches for some cases, where that is allowed. */
  readonly cold: boolean;
  /** Whether it is only to be seen that everything works: fewer and smaller cases will do. */
  readonly quick: boolean;
}

/** A suite of benchmarks. */
export interface Suite {
  /** What the command line calls it. */
  readonly name: string;
  /** What it measures, in a line. */
  readonly summary: string;
  /** Open queues, make files. What it made goes away when it is disposed of. */
  open(options: SuiteOptions): Promise<OpenSuite>;
}

/** Hold a goal against what was measured. */
export function judge(goal: Goal, cases: readonly CaseResult[]): GoalResult {
  const values: number[] = [];
  for (const inFlight of goal.inFlight) {
    const result = cases
      .find((item) => item.group === goal.group && item.inFlight === inFlight)
      ?.results.find((result) => result.name === goal.subject);
    const value = goal.peer === undefined ? result?.operationsPerSecond : result?.ratios[goal.peer];
    if (value === undefined) {
      return { ...goal, measured: undefined, reached: false };
    }
    values.push(value);
  }
  const measured = Math.min(...values);
  return { ...goal, measured, reached: measured >= goal.atLeast };
}
