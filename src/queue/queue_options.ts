// Copyright 2026 the ioq authors. MIT license.

/**
 * The options of opening a queue, submitting a request, and closing a queue.
 *
 * @module
 */

import { DEPTH_MAX, LANES_MAX } from "../../ffi/layout.ts";
import { type BackendChoice, chooseBackend, LANE } from "../backends/open_backend.ts";
import { checkInteger } from "../integer.ts";
import { ownOptions } from "../own_option.ts";
import { pathText, toPath } from "../path.ts";
import { checkAll } from "../permissions.ts";
import type { IoqOptions } from "./option_types.ts";

const DEFAULT_DEPTH = 1024;
const DEFAULT_THREADS = 128;

/**
 * Check how a queue is to be opened.
 *
 * @throws {TypeError} If an option is of a wrong type.
 * @throws {RangeError} If a number is out of its range.
 * @throws {Deno.errors.NotCapable} If raw SQEs are asked for without all permissions.
 */
export function checkOptions(options: IoqOptions): BackendChoice {
  const own = ownOptions(options);
  const { depth = DEFAULT_DEPTH, threads = DEFAULT_THREADS, library } = own;
  checkInteger(depth, "depth", 1, DEPTH_MAX);
  checkInteger(threads, "threads", 1, LANES_MAX);
  const { unsafeRawSqe: rawSqe = false } = own;
  if (typeof rawSqe !== "boolean") {
    throw new TypeError(`Expected unsafeRawSqe to be a boolean, got ${typeof rawSqe}`);
  }
  if (rawSqe) {
    checkAll("unsafeRawSqe");
  }
  return {
    backend: chooseBackend(own.backend),
    depth,
    threads,
    rawSqe,
    library: library === undefined ? undefined : pathText(toPath(library, "dlopen")),
    module: (own as { [LANE]?: URL | null })[LANE],
  };
}
