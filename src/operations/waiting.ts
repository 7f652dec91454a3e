// Copyright 2026 the ioq authors. MIT license.

/**
 * Requests that touch no file: for time to pass, a descriptor to be ready, a message to
 * come; and nothing at all.
 *
 * @module
 */

import { READ } from "../permissions.ts";
import { decodeNothing, decodeNumber, decodePoll } from "./decode.ts";
import { define } from "./operation.ts";
import { ownOption as own } from "../own_option.ts";
import * as layout from "../../ffi/layout.ts";
import { CLOCKS } from "../linux/clock.ts";
import { checkInteger, checkMs } from "../integer.ts";
import { request } from "./request.ts";
import { POLLIN, POLLOUT, POLLPRI } from "../linux/poll.ts";
import { checkFd, checkOneOf, UINT32_MAX } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

define("nop", {
  code: layout.OP.nop,
  verb: "nop",
  lane: "queue",
  decode: decodeNothing,
  plain: () => 0,
});
const NOP = request("nop", {});
define("receive", {
  code: layout.OP.receive,
  verb: "receive",
  lane: "queue",
  decode: decodeNumber,
});
const RECEIVE = request("receive", {});
define("kernelNop", {
  code: layout.OP.kernelNop,
  verb: "nop",
  lane: "ring",
  decode: decodeNothing,
  plain: () => 0,
});
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

define("sleep", { code: layout.OP.timeout, verb: "sleep", lane: "ring", decode: decodeNothing });
export const sleep: OpBuilders["sleep"] = (ms) =>
  request("sleep", { flags: CLOCKS.monotonic, ...splitNanoseconds(checkMs(ms, "ms")) });

define("timeout", {
  code: layout.OP.timeout,
  verb: "timeout",
  lane: "ring",
  decode: decodeNothing,
});
export const timeout: OpBuilders["timeout"] = (time, options) =>
  request("timeout", {
    flags: checkOneOf(CLOCKS, own(options, "clock") ?? "monotonic", "clock") |
      (own(options, "absolute") ? layout.TIMEOUT_ABSOLUTE : 0),
    ...splitNanoseconds(time),
  });

define("poll", {
  code: layout.OP.poll,
  verb: "poll",
  onDescriptor: READ,
  lane: "ring",
  decode: decodePoll,
});
export const poll: OpBuilders["poll"] = (fd, events = { readable: true }) =>
  request("poll", {
    fd: checkFd(fd),
    flags: (own(events, "readable") ? POLLIN : 0) | (own(events, "writable") ? POLLOUT : 0) |
      (own(events, "priority") ? POLLPRI : 0),
  });

define("post", { code: layout.OP.post, verb: "post", lane: "ring", decode: decodeNothing });
export const post: OpBuilders["post"] = (target, value) =>
  request("post", {
    arg0: checkInteger(typeof target === "number" ? target : target.id, "target", 1, UINT32_MAX),
    offset: checkInteger(value, "value", 0, Number.MAX_SAFE_INTEGER),
  });

export const receive: OpBuilders["receive"] = () => RECEIVE;
