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
import type { GoalResult } from "./suite.ts";

/** What a suite measured. */
export interface SuiteResult {
  readonly name: string;
  readonly backend: BackendInfo | null;
  readonly seconds: number;
  /** The share of the machine that other processes used meanwhile, 0 to 1. */
  readonly othersBusy: number;
  readonly notes: Readonly<Record<string, string>>;
  readonly cases: readonly CaseResult[];
  readonly goals: readonly GoalResult[];
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
