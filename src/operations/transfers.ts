// Copyright 2026 the ioq authors. MIT license.

/**
 * Moving bytes: between descriptors and memory, and from one descriptor to another.
 *
 * @module
 */

import { READ, WRITE } from "../permissions.ts";
import type { PlainCall } from "./plain_call.ts";
import { ERRNO, UNSUPPORTED } from "../linux/errors.ts";
import {
  decodeBytes,
  decodeInto,
  decodeIntoParts,
  decodeNothing,
  decodeNumber,
  decodeResult,
} from "./decode.ts";
import { SEEK_DATA, SEEK_HOLE } from "../linux/fcntl.ts";
import { define } from "./operation.ts";
import { ownOption as own } from "../own_option.ts";
import { byteLengthOf, plainBytes } from "../byte_length.ts";
import * as layout from "../../ffi/layout.ts";
import { checkInteger } from "../integer.ts";
import { CoreRequest, IoqRequest, request } from "./request.ts";
import { checkBytes, checkFd, checkOffset, durableFlags, splitArgument } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

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

const SEEK_CUR = 1;
/** Bytes of one step of a copy. */
const COPY_LENGTH = 1 << 20;

function plainRead(call: PlainCall): number {
  const bytes = new Uint8Array(call.length);
  const count = call.readSome(call.fd, bytes, call.position);
  call.payload = bytes.subarray(0, count);
  return count;
}

function plainWrite(call: PlainCall): number {
  const count = call.writeSome(call.fd, call.bytes, call.position);
  if (call.flags & layout.SYNC_DATA && isOnDevice(call)) {
    call.fs.fdatasyncSync(call.fd);
  }
  return count;
}

/** Whether there is anything to sync in what a call writes: not in a pipe or a terminal. */
function isOnDevice(call: PlainCall): boolean {
  const info = call.fs.fstatSync(call.fd);
  return info.isFile() || info.isBlockDevice();
}

/** Where a descriptor is; it cannot be moved. */
function plainSeek(call: PlainCall): number {
  const info = call.fs.fstatSync(call.fd);
  if (info.isFIFO() || info.isSocket()) {
    call.fail(ERRNO.ESPIPE!);
  }
  if (call.flags === SEEK_DATA || call.flags === SEEK_HOLE) {
    // As lseek(2) allows it where nobody knows of holes: all is data, and a hole the end
    if (call.offset >= info.size) {
      call.fail(ERRNO.ENXIO!);
    }
    return putNumber(call, call.flags === SEEK_DATA ? call.offset : info.size);
  }
  if (call.flags !== SEEK_CUR || call.offset !== 0 || Deno.build.os !== "linux") {
    call.fail(UNSUPPORTED.seek);
  }
  return putNumber(call, call.tell(call.fd) ?? call.fail(UNSUPPORTED.seek));
}

/** Have a number as what a call produced. */
function putNumber(call: PlainCall, number: number): number {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigInt64(0, BigInt(number), true);
  call.payload = bytes;
  return 0;
}

function plainCopyRange(call: PlainCall): number {
  const bytes = new Uint8Array(Math.min(call.length, COPY_LENGTH));
  const count = call.fs.readSync(call.fd, bytes, 0, bytes.length, call.position);
  if (call.arg2) {
    const to = call.arg1 * 0x1_0000_0000 + call.arg0;
    return call.writeSome(call.fd2, bytes.subarray(0, count), to);
  }
  // What was read cannot be read again
  call.writeAll(call.fd2, bytes.subarray(0, count), null);
  return count;
}

define("read", {
  code: layout.OP.read,
  verb: "read",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeBytes,
  plain: plainRead,
});
export const read: OpBuilders["read"] = (fd, length, offset) => {
  const core = new CoreRequest("read");
  core.fd = checkFd(fd);
  core.length = checkInteger(length, "length", 0, layout.TRANSFER_MAX);
  core.setOffset(offset);
  return new IoqRequest(core);
};

define("readInto", {
  code: layout.OP.read,
  verb: "read",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeInto,
});
export const readInto: OpBuilders["readInto"] = (fd, target, offset) => {
  const core = new CoreRequest("readInto");
  core.fd = checkFd(fd);
  core.target = checkBytes(target, "target") as Uint8Array<ArrayBuffer>;
  core.length = byteLengthOf(target);
  core.setOffset(offset);
  return new IoqRequest(core);
};

define("readv", {
  code: layout.OP.read,
  verb: "read",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeIntoParts,
});
export const readv: OpBuilders["readv"] = (fd, targets, offset) =>
  request("readv", {
    fd: checkFd(fd),
    ...checkParts(targets, "targets", (parts) => ({ targets: parts })),
    ...checkOffset(offset),
  });

/** Its requests are made, and what they read is taken, by `files/read_ranges.ts`. */
define("readRanges", {
  code: layout.OP.readRanges,
  verb: "read",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeNothing,
});

define("write", {
  code: layout.OP.write,
  verb: "write",
  onDescriptor: WRITE,
  lane: "ring",
  decode: decodeResult,
  plain: plainWrite,
});
export const write: OpBuilders["write"] = (fd, bytes, offset, options) => {
  const core = new CoreRequest("write");
  core.flags = durableFlags(options);
  core.fd = checkFd(fd);
  core.bytes = checkBytes(bytes, "bytes");
  core.length = byteLengthOf(bytes);
  core.setOffset(offset);
  return new IoqRequest(core);
};

define("writev", {
  code: layout.OP.write,
  verb: "write",
  onDescriptor: WRITE,
  lane: "ring",
  decode: decodeResult,
});
export const writev: OpBuilders["writev"] = (fd, sources, offset) =>
  request("writev", {
    fd: checkFd(fd),
    // As long as they are now, whatever becomes of their buffers
    ...checkParts(sources, "sources", (parts) => ({ sources: parts.map(plainBytes) })),
    ...checkOffset(offset),
  });

define("seek", {
  code: layout.OP.seek,
  verb: "seek",
  onDescriptor: READ,
  lane: "lane",
  decode: decodeNumber,
  plain: plainSeek,
});
export const seek: OpBuilders["seek"] = (fd, offset, whence) =>
  request("seek", {
    fd: checkFd(fd),
    offset: checkInteger(offset, "offset", -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER),
    flags: checkInteger(whence, "whence", 0, 2),
  });

define("copyRange", {
  code: layout.OP.copyRange,
  verb: "copy",
  onDescriptor: READ,
  lane: "lane",
  decode: decodeResult,
  plain: plainCopyRange,
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

define("splice", {
  code: layout.OP.splice,
  verb: "splice",
  onDescriptor: READ,
  lane: "lane",
  decode: decodeResult,
});
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
