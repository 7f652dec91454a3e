// Copyright 2026 the ioq authors. MIT license.

/**
 * What the parts of a walk share.
 *
 * @module
 */

import type { Runner } from "../../queue/runner.ts";
import type { Request } from "../../operations/request.ts";
import type { OpName } from "../../operations/values.ts";
import type { WalkPlan } from "./walk_options.ts";
import type { WalkEntry } from "./walk_types.ts";
import type { PendingDirectories } from "./pending_directories.ts";

/** What the parts of a walk share: the plan, the queue, and how to report errors. */
export interface WalkContext {
  readonly plan: WalkPlan;
  /** The root as it was given, for messages. */
  readonly given: string;
  /** The queue. */
  readonly ioq: Runner;
  /** Whether each path must be checked for permission. */
  readonly checks: boolean;
  /** Whether it is about to end: what is found now is of no use. */
  readonly stopped: boolean;
  /** Directories to read. */
  readonly pending: PendingDirectories;
  /** Run a request that ends with the walk. */
  run<V>(request: Request<OpName, V>): Promise<V>;
  /** Hand over what was made so far, and let the event loop do its other work. */
  pause(): Promise<void>;
  /** Something could not be read: pass over it, tell, or end the walk. */
  report(error: unknown, entry: WalkEntry): void;
}
