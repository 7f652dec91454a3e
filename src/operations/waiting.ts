// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that touch no file: for time to pass, a descriptor to be ready, a message to
 * come; and nothing at all.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import * as layout from "../../ffi/layout.ts";
import { CLOCKS } from "../linux/clock.ts";
import { checkInteger, checkMs } from "../integer.ts";
import { request } from "./request.ts";
import { POLLIN, POLLOUT, POLLPRI } from "../linux/poll.ts";
import { checkFd, checkOneOf, UINT32_MAX } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

const NOP = request("nop", {});
const RECEIVE = request("receive", {});
const KERNEL_NOP = request("kernelNop", {});

/** Nanoseconds, or milliseconds, as the core takes them: in seconds and a rest. */
function splitNanoseconds(time: bigint | number): { offset: number; arg0: number } {
  if (typeof time === "bigint") {
    if (time < 0n || time >= 1n << 63n) {
      throw new RangeError(`Expected time to be nanoseconds from 0 to 2^63 - 1, got ${time}`);
    }
    return { offset: Number(time / 1_000_000_000n), arg0: Number(time % 1_000_000_000n) };
  }
  const ms = checkMs(time, "time");
  const seconds = Math.floor(ms / 1000);
  const nanoseconds = Math.ceil((ms - seconds * 1000) * 1e6);
  // Never too early; a rest that rounds up to a second is one
  return nanoseconds < 1e9
    ? { offset: seconds, arg0: nanoseconds }
    : { offset: seconds + 1, arg0: 0 };
}

export const nop: OpBuilders["nop"] = () => NOP;

export const kernelNop: OpBuilders["kernelNop"] = () => KERNEL_NOP;

export const sleep: OpBuilders["sleep"] = (ms) =>
  request("sleep", { flags: CLOCKS.monotonic, ...splitNanoseconds(checkMs(ms, "ms")) });

export const timeout: OpBuilders["timeout"] = (time, options) =>
  request("timeout", {
    flags: checkOneOf(CLOCKS, own(options, "clock") ?? "monotonic", "clock") |
      (own(options, "absolute") ? layout.TIMEOUT_ABSOLUTE : 0),
    ...splitNanoseconds(time),
  });

export const poll: OpBuilders["poll"] = (fd, events = { readable: true }) =>
  request("poll", {
    fd: checkFd(fd),
    flags: (own(events, "readable") ? POLLIN : 0) | (own(events, "writable") ? POLLOUT : 0) |
      (own(events, "priority") ? POLLPRI : 0),
  });

export const post: OpBuilders["post"] = (target, value) =>
  request("post", {
    arg0: checkInteger(typeof target === "number" ? target : target.id, "target", 1, UINT32_MAX),
    offset: checkInteger(value, "value", 0, Number.MAX_SAFE_INTEGER),
  });

export const receive: OpBuilders["receive"] = () => RECEIVE;
