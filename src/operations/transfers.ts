// Copyright 2026 the ioq authors. MIT license.

/**
 * Moving bytes: between descriptors and memory, and from one descriptor to another.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import { byteLengthOf } from "../byte_length.ts";
import * as layout from "../../ffi/layout.ts";
import { checkInteger } from "../integer.ts";
import { request } from "./request.ts";
import { checkBytes, checkFd, checkOffset, splitArgument } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

const SPLICE_F_NONBLOCK = 2;
const SPLICE_F_MORE = 4;

/** Check the parts of a vectored transfer. */
function checkParts<P extends Uint8Array, V>(
  parts: readonly P[],
  name: string,
  as: (parts: readonly P[]) => V,
): V & { length: number } {
  if (!Array.isArray(parts)) {
    throw new TypeError(`Expected ${name} to be an array of Uint8Array, got ${typeof parts}`);
  }
  let length = 0;
  for (const [at, part] of parts.entries()) {
    length += byteLengthOf(checkBytes(part, `${name}[${at}]`));
  }
  checkInteger(length, `the length of ${name}`, 0, layout.TRANSFER_MAX);
  // The caller may go on using its array. Empty ones transfer nothing
  return { ...as(parts.filter((part) => byteLengthOf(part) > 0)), length };
}

export const read: OpBuilders["read"] = (fd, length, offset) =>
  request("read", {
    fd: checkFd(fd),
    length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
    ...checkOffset(offset),
  });

export const readInto: OpBuilders["readInto"] = (fd, target, offset) =>
  request("readInto", {
    fd: checkFd(fd),
    target: checkBytes(target, "target") as Uint8Array<ArrayBuffer>,
    length: byteLengthOf(target),
    ...checkOffset(offset),
  });

export const readv: OpBuilders["readv"] = (fd, targets, offset) =>
  request("readv", {
    fd: checkFd(fd),
    ...checkParts(targets, "targets", (parts) => ({ targets: parts })),
    ...checkOffset(offset),
  });

export const write: OpBuilders["write"] = (fd, bytes, offset) =>
  request("write", {
    fd: checkFd(fd),
    bytes: checkBytes(bytes, "bytes"),
    length: byteLengthOf(bytes),
    ...checkOffset(offset),
  });

export const writev: OpBuilders["writev"] = (fd, sources, offset) =>
  request("writev", {
    fd: checkFd(fd),
    ...checkParts(sources, "sources", (parts) => ({ sources: parts })),
    ...checkOffset(offset),
  });

export const seek: OpBuilders["seek"] = (fd, offset, whence) =>
  request("seek", {
    fd: checkFd(fd),
    offset: checkInteger(offset, "offset", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    flags: checkInteger(whence, "whence", 0, 2),
  });

export const copyRange: OpBuilders["copyRange"] = (from, to, length, offsets) => {
  const at = offsets === undefined ? undefined : checkOffset(own(offsets, "from"), "from");
  return request("copyRange", {
    fd: checkFd(from),
    fd2: checkFd(to),
    length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
    ...at,
    ...(offsets === undefined
      ? {}
      : splitArgument(checkInteger(own(offsets, "to"), "to", 0, Number.MAX_SAFE_INTEGER))),
    arg2: offsets === undefined ? 0 : 1,
  });
};

export const splice: OpBuilders["splice"] = (from, to, length, options) => {
  const toOffset = own(options, "to");
  return request("splice", {
    fd: checkFd(from),
    fd2: checkFd(to),
    length: checkInteger(length, "length", 0, layout.TRANSFER_MAX),
    flags: (own(options, "nonBlock") ? SPLICE_F_NONBLOCK : 0) |
      (own(options, "more") ? SPLICE_F_MORE : 0),
    ...checkOffset(own(options, "from")),
    ...(toOffset === undefined
      ? {}
      : splitArgument(checkInteger(toOffset, "to", 0, Number.MAX_SAFE_INTEGER))),
    arg2: toOffset === undefined ? 0 : 1,
  });
};
