// Copyright 2026 the ioq authors. MIT license.

/**
 * The functions that make requests, of all families: see `operation.ts`.
 *
 * @module
 */

import type { OpBuilders } from "./values.ts";
import * as waiting from "./waiting.ts";
import * as open from "./open.ts";
import * as attributes from "./attributes.ts";
import * as names from "./names.ts";
import * as transfers from "./transfers.ts";
import * as storage from "./storage.ts";
import * as whole from "./whole.ts";
import * as xattrs from "./xattrs.ts";
import * as rawSqe from "./raw_sqe.ts";

/**
 * Makes requests. Arguments are checked here: what is wrong throws a `TypeError`
 * or a `RangeError` before anything is queued.
 *
 * @category Requests
 *
 * @example
 * ```ts
 * import { Ioq, op } from "@ioq/ioq";
 *
 * await using ioq = await Ioq.open();
 * ioq.submit(op.stat("/etc/hostname"));
 * for await (const completion of ioq) {
 *   if (completion.ok && completion.op === "stat") {
 *     console.log(completion.value.size);
 *   }
 * }
 * ```
 */
export const op: OpBuilders = {
  ...waiting,
  ...open,
  ...attributes,
  ...names,
  ...transfers,
  ...storage,
  ...whole,
  ...xattrs,
  ...rawSqe,
};
