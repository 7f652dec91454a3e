// Copyright 2026 the ioq authors. MIT license.

/**
 * Attributes of files.
 *
 * @module
 */

import type { PlainCall } from "./plain_call.ts";
import { ERRNO, UNSUPPORTED } from "../linux/errors.ts";
import { OP } from "../../ffi/layout.ts";
import { decodeBigIntStat, decodeNothing, decodeStat } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "../linux/fcntl.ts";
import { checkTime, exactTime } from "../file_time.ts";
import { checkInteger } from "../integer.ts";
import { request } from "./request.ts";
import { type Path, toPath } from "../path.ts";
import {
  checkAt,
  checkFd,
  checkFile,
  checkMode,
  pathRequest,
  splitArgument,
  UINT32_MAX,
} from "./arguments.ts";
import type { OpBuilders } from "./values.ts";
import type { StatOptions } from "./request_options.ts";

const R_OK = 4;
const W_OK = 2;
const X_OK = 1;

const S_IFMT = 0o170000;
const S_IFDIR = 0o040000;

function plainStat(call: PlainCall): number {
  if (!call.isAtDescriptor) {
    const { path } = call;
    call.putStat(call.flags & AT_SYMLINK_NOFOLLOW ? Deno.lstatSync(path) : Deno.statSync(path));
    return 0;
  }
  // Said in full: the runtime reads what its options inherit
  const stats = call.fs.fstatSync(call.fd, { bigint: false });
  const { atime, mtime, ctime, birthtime } = stats;
  const { dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks } = stats;
  call.putStat({
    ...{ dev, ino, mode, nlink, uid, gid, rdev, size, blksize, blocks },
    ...{ atime, mtime, ctime, birthtime: birthtime.getTime() === 0 ? null : birthtime },
  });
  return 0;
}

function plainChmod(call: PlainCall): number {
  if (call.isAtDescriptor) {
    call.fs.fchmodSync(call.fd, call.mode);
  } else {
    Deno.chmodSync(call.path, call.mode);
  }
  return 0;
}

function plainChown(call: PlainCall): number {
  const gid = call.arg1 >>> 0;
  if (call.isAtDescriptor) {
    call.fs.fchownSync(call.fd, call.arg0, gid);
  } else if (call.flags & AT_SYMLINK_NOFOLLOW) {
    call.fs.lchownSync(call.path, call.arg0, gid);
  } else {
    call.fs.chownSync(call.path, call.arg0, gid);
  }
  return 0;
}

/** In the mode of a utime: its times are exact, which the runtime's calls are not. */
const EXACT = 1;

function plainUtime(call: PlainCall): number {
  const { arg2, arg3 } = call;
  if (call.mode & EXACT && (arg2 % 1_000_000 !== 0 || arg3 % 1_000_000 !== 0)) {
    call.fail(UNSUPPORTED.exactTime);
  }
  const atime = call.offset + arg2 / 1e9;
  const mtime = call.arg1 * 0x1_0000_0000 + call.arg0 + arg3 / 1e9;
  // Not as numbers: Node takes those before 1970 for now
  const times = [new Date(atime * 1000), new Date(mtime * 1000)] as const;
  if (call.isAtDescriptor) {
    call.fs.futimesSync(call.fd, ...times);
  } else if (call.flags & AT_SYMLINK_NOFOLLOW) {
    call.fs.lutimesSync(call.path, ...times);
  } else {
    Deno.utimeSync(call.path, atime, mtime);
  }
  return 0;
}

function plainAccess(call: PlainCall): number {
  call.fs.accessSync(call.path, call.mode);
  if (call.mode & X_OK) {
    // For the superuser that call says yes to everything
    const { mode: bits } = Deno.statSync(call.path);
    if (bits !== null && (bits & S_IFMT) !== S_IFDIR && (bits & 0o111) === 0) {
      call.fail(ERRNO.EACCES!);
    }
  }
  return 0;
}

define("stat", {
  code: OP.stat,
  verb: "stat",
  access: READ,
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeStat,
  plain: plainStat,
});
define("statBigInt", {
  code: OP.stat,
  verb: "stat",
  access: READ,
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeBigIntStat,
  plain: UNSUPPORTED.exactStat,
});
export const stat: OpBuilders["stat"] =
  ((path: Path, options?: StatOptions) =>
    pathRequest(own(options, "bigint") ? "statBigInt" : "stat", path, options)) as OpBuilders[
      "stat"
    ];

define("lstat", {
  code: OP.stat,
  verb: "lstat",
  flags: AT_SYMLINK_NOFOLLOW,
  access: READ,
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeStat,
});
define("lstatBigInt", {
  code: OP.stat,
  verb: "lstat",
  flags: AT_SYMLINK_NOFOLLOW,
  access: READ,
  onDescriptor: READ,
  lane: "overflow",
  decode: decodeBigIntStat,
  plain: UNSUPPORTED.exactStat,
});
export const lstat: OpBuilders["lstat"] =
  ((path: Path, options?: StatOptions) =>
    pathRequest(own(options, "bigint") ? "lstatBigInt" : "lstat", path, options)) as OpBuilders[
      "lstat"
    ];

define("fstat", {
  code: OP.stat,
  verb: "fstat",
  flags: AT_EMPTY_PATH,
  onDescriptor: READ,
  tellsInode: true,
  lane: "overflow",
  decode: decodeStat,
});
define("fstatBigInt", {
  code: OP.stat,
  verb: "fstat",
  flags: AT_EMPTY_PATH,
  onDescriptor: READ,
  tellsInode: true,
  lane: "overflow",
  decode: decodeBigIntStat,
  plain: UNSUPPORTED.exactStat,
});
export const fstat: OpBuilders["fstat"] =
  ((fd: number, options?: { bigint?: boolean }) =>
    request(own(options, "bigint") ? "fstatBigInt" : "fstat", {
      fd: checkFd(fd),
    })) as OpBuilders["fstat"];

define("chmod", {
  code: OP.chmod,
  verb: "chmod",
  access: WRITE,
  onDescriptor: WRITE,
  changesInode: true,
  lane: "lane",
  decode: decodeNothing,
  plain: plainChmod,
});
export const chmod: OpBuilders["chmod"] = (file, mode, options) =>
  request("chmod", {
    ...checkFile("chmod", file, options),
    mode: checkMode(mode),
  });

define("chown", {
  code: OP.chown,
  verb: "chown",
  access: WRITE,
  onDescriptor: WRITE,
  changesInode: true,
  lane: "lane",
  decode: decodeNothing,
  plain: plainChown,
});
export const chown: OpBuilders["chown"] = (file, uid, gid, options) =>
  request("chown", {
    ...checkFile("chown", file, options),
    // All bits set leave it as it is, see chown(2)
    arg0: uid === null ? UINT32_MAX : checkInteger(uid, "uid", 0, UINT32_MAX - 1),
    arg1: gid === null ? UINT32_MAX : checkInteger(gid, "gid", 0, UINT32_MAX - 1),
    flags: own(options, "followSymlinks") === false ? AT_SYMLINK_NOFOLLOW : 0,
  });

define("utime", {
  code: OP.utime,
  verb: "utime",
  access: WRITE,
  onDescriptor: WRITE,
  changesInode: true,
  lane: "lane",
  decode: decodeNothing,
  plain: plainUtime,
});
export const utime: OpBuilders["utime"] = (file, atime, mtime, options) => {
  const accessed = checkTime(atime, "atime");
  const modified = checkTime(mtime, "mtime");
  return request("utime", {
    ...checkFile("utime", file, options),
    offset: accessed.seconds,
    ...splitArgument(modified.seconds),
    arg2: accessed.nanoseconds,
    arg3: modified.nanoseconds,
    mode: exactTime(atime) === undefined && exactTime(mtime) === undefined ? 0 : EXACT,
    flags: own(options, "followSymlinks") === false ? AT_SYMLINK_NOFOLLOW : 0,
  });
};

define("access", {
  code: OP.access,
  verb: "access",
  access: READ,
  lane: "lane",
  decode: decodeNothing,
  plain: plainAccess,
});
export const access: OpBuilders["access"] = (path, mode) =>
  request("access", {
    fd: checkAt(mode),
    path: toPath(path, "access"),
    mode: (own(mode, "read") ? R_OK : 0) | (own(mode, "write") ? W_OK : 0) |
      (own(mode, "execute") ? X_OK : 0),
  });
