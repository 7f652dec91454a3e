// Copyright 2026 the ioq authors. MIT license.

/**
 * Whatever a submission queue entry says, see `io_uring_enter(2)`.
 *
 * @module
 */

import { OP } from "../../ffi/layout.ts";
import { decodeResult } from "./decode.ts";
import { define } from "./operation.ts";
import { checkInteger } from "../integer.ts";
import { request } from "./request.ts";
import { checkBytes } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

/** From `<linux/io_uring.h>`. */
const SQE_LENGTH = 64;
const IOSQE_CQE_SKIP_SUCCESS = 1 << 6;

define("rawSqe", {
  code: OP.rawSqe,
  verb: "sqe",
  about: ({ path }) => `opcode ${(path as Uint8Array)[0]}`,
  lane: "ring",
  decode: decodeResult,
});
export const rawSqe: OpBuilders["rawSqe"] = (sqe) => {
  // A copy by its very bytes, before anything is looked at
  const entry = new Uint8Array(checkBytes(sqe, "sqe"));
  checkInteger(entry.length, "sqe.byteLength", SQE_LENGTH, SQE_LENGTH);
  if (entry[1]! & IOSQE_CQE_SKIP_SUCCESS) {
    throw new TypeError("Cannot take an SQE with IOSQE_CQE_SKIP_SUCCESS");
  }
  return request("rawSqe", { path: entry, access: 0 });
};
