// Copyright 2026 the ioq authors. MIT license.

/**
 * What open files take up, how they get to the device, and who else may use them.
 *
 * @module
 */

import type { PlainCall } from "./plain_call.ts";
import { UNSUPPORTED } from "../linux/errors.ts";
import { OP, SYNC_DATA } from "../../ffi/layout.ts";
import { decodeNothing } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { checkInteger } from "../integer.ts";
import { request } from "./request.ts";
import {
  checkFd,
  checkFile,
  checkOffset,
  checkOneOf,
  splitArgument,
  UINT32_MAX,
} from "./arguments.ts";
import type { OpBuilders } from "./values.ts";
import type { Advice } from "./request_options.ts";

const FALLOC_FL_KEEP_SIZE = 1;
const SYNC_FILE_RANGE_WAIT_BEFORE = 1;
const SYNC_FILE_RANGE_WRITE = 2;
const SYNC_FILE_RANGE_WAIT_AFTER = 4;
const LOCK_NB = 4;
/** Operations of `flock(2)`. */
const LOCKS = { shared: 1, exclusive: 2, unlock: 8 } as const;
/** Advice of `posix_fadvise(2)`. */
const ADVICE: Readonly<Record<Advice, number>> = {
  normal: 0,
  random: 1,
  sequential: 2,
  willNeed: 3,
  dontNeed: 4,
  noReuse: 5,
};

function plainSync({ fs, fd, flags }: PlainCall): number {
  (flags & SYNC_DATA ? fs.fdatasyncSync : fs.fsyncSync)(fd);
  return 0;
}

function plainTruncate(call: PlainCall): number {
  if (call.isAtDescriptor) {
    call.fs.ftruncateSync(call.fd, call.offset);
  } else {
    Deno.truncateSync(call.path, call.offset);
  }
  return 0;
}

define("sync", {
  code: OP.sync,
  verb: "fsync",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeNothing,
  plain: plainSync,
});
export const sync: OpBuilders["sync"] = (fd) => request("sync", { fd: checkFd(fd) });

define("syncData", {
  code: OP.sync,
  verb: "fdatasync",
  flags: SYNC_DATA,
  onDescriptor: READ,
  lane: "ring",
  decode: decodeNothing,
});
export const syncData: OpBuilders["syncData"] = (fd) => request("syncData", { fd: checkFd(fd) });

define("syncRange", {
  code: OP.syncRange,
  verb: "sync_file_range",
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeNothing,
});
export const syncRange: OpBuilders["syncRange"] = (fd, offset = 0, length = 0, options) =>
  request("syncRange", {
    fd: checkFd(fd),
    length: checkInteger(length, "length", 0, UINT32_MAX),
    flags: (own(options, "waitBefore") ? SYNC_FILE_RANGE_WAIT_BEFORE : 0) |
      ((own(options, "write") ?? true) ? SYNC_FILE_RANGE_WRITE : 0) |
      (own(options, "waitAfter") ? SYNC_FILE_RANGE_WAIT_AFTER : 0),
    ...checkOffset(offset),
  });

define("truncate", {
  code: OP.truncate,
  verb: "truncate",
  access: WRITE,
  onDescriptor: WRITE,
  lane: "lane",
  decode: decodeNothing,
  plain: plainTruncate,
});
export const truncate: OpBuilders["truncate"] = (file, length = 0, options) =>
  request("truncate", {
    ...checkFile("truncate", file, options),
    ...checkOffset(length, "length"),
  });

define("allocate", {
  code: OP.allocate,
  verb: "fallocate",
  onDescriptor: WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: UNSUPPORTED.allocate,
});
export const allocate: OpBuilders["allocate"] = (fd, offset, length, options) =>
  request("allocate", {
    fd: checkFd(fd),
    flags: own(options, "keepSize") ? FALLOC_FL_KEEP_SIZE : 0,
    ...checkOffset(offset),
    ...splitArgument(checkInteger(length, "length", 1, Number.MAX_SAFE_INTEGER)),
  });

define("advise", {
  code: OP.advise,
  verb: "fadvise",
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeNothing,
  plain: UNSUPPORTED.advise,
});
export const advise: OpBuilders["advise"] = (fd, advice, offset = 0, length = 0) =>
  request("advise", {
    fd: checkFd(fd),
    flags: checkOneOf(ADVICE, advice, "advice"),
    length: checkInteger(length, "length", 0, UINT32_MAX),
    ...checkOffset(offset),
  });

define("lock", {
  code: OP.lock,
  verb: "flock",
  onDescriptor: READ,
  lane: "lane",
  decode: decodeNothing,
  plain: UNSUPPORTED.lock,
});
export const lock: OpBuilders["lock"] = (fd, kind, options) =>
  request("lock", {
    fd: checkFd(fd),
    flags: checkOneOf(LOCKS, kind, "kind") | (own(options, "wait") ? 0 : LOCK_NB),
  });
