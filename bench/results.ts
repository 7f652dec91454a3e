// Copyright 2026 the ioq authors. MIT license.

/**
 * What the benchmarks write.
 *
 * @module
 */

import type { BackendInfo } from "@ioq/ioq";
import type { CaseResult } from "./harness.ts";
import type { Machine } from "./machine.ts";
import type { PeerVersions } from "./peer_versions.ts";
import type { Fact, GoalResult } from "./suite.ts";

/** What a suite measured. */
export interface SuiteResult {
  readonly name: string;
  readonly backend: BackendInfo | null;
  readonly seconds: number;
  /** The share of the machine that other processes used meanwhile, 0 to 1. */
  readonly othersBusy: number;
  readonly notes: Readonly<Record<string, string>>;
  /** Versions of what it alone compares with. */
  readonly peers: PeerVersions;
  readonly cases: readonly CaseResult[];
  readonly goals: readonly GoalResult[];
  readonly facts: readonly Fact[];
}

/** What a run measured. */
export interface BenchResults {
  readonly date: string;
  readonly machine: Machine;
  /** Versions of the programs that may be peers; `null`: there is none here. */
  readonly peers: PeerVersions;
  readonly rounds: number;
  readonly sampleMs: number;
  readonly suites: readonly SuiteResult[];
}

/** Where the results of the last whole run are. */
export const RESULTS: URL = new URL("./results.json", import.meta.url);

/** Read them. */
export async function readResults(): Promise<BenchResults> {
  return JSON.parse(await Deno.readTextFile(RESULTS));
}
