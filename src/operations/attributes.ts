// Copyright 2026 the ioq authors. MIT license.

/**
 * Attributes of files.
 *
 * @module
 */

import { OP } from "../../ffi/layout.ts";
import { decodeBigIntStat, decodeNothing, decodeStat } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { AT_EMPTY_PATH, AT_SYMLINK_NOFOLLOW } from "../linux/fcntl.ts";
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

/** A time as seconds and nanoseconds since 1970. */
function checkTime(
  time: Date | number,
  name: string,
): { seconds: number; nanoseconds: number } {
  const milliseconds = time instanceof Date
    ? time.getTime()
    : typeof time === "number"
    ? time * 1000
    : NaN;
  if (!Number.isFinite(milliseconds)) {
    throw new TypeError(`Expected ${name} to be a valid Date or seconds since 1970, got ${time}`);
  }
  const seconds = Math.floor(milliseconds / 1000);
  checkInteger(seconds, name, -Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
  // A moment before a whole second rounds up to it, and that is no fraction
  const nanoseconds = Math.floor((milliseconds - seconds * 1000) * 1e6);
  return { seconds, nanoseconds: Math.min(nanoseconds, 999_999_999) };
}

define("stat", { code: OP.stat, verb: "stat", access: READ, lane: "overflow", decode: decodeStat });
define("statBigInt", {
  code: OP.stat,
  verb: "stat",
  access: READ,
  lane: "overflow",
  decode: decodeBigIntStat,
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
  lane: "overflow",
  decode: decodeStat,
});
define("lstatBigInt", {
  code: OP.stat,
  verb: "lstat",
  flags: AT_SYMLINK_NOFOLLOW,
  access: READ,
  lane: "overflow",
  decode: decodeBigIntStat,
});
export const lstat: OpBuilders["lstat"] =
  ((path: Path, options?: StatOptions) =>
    pathRequest(own(options, "bigint") ? "lstatBigInt" : "lstat", path, options)) as OpBuilders[
      "lstat"
    ];

export const fstat: OpBuilders["fstat"] =
  ((fd: number, options?: { bigint?: boolean }) =>
    request(own(options, "bigint") ? "statBigInt" : "stat", {
      fd: checkFd(fd),
      flags: AT_EMPTY_PATH,
    })) as OpBuilders["fstat"];

define("chmod", {
  code: OP.chmod,
  verb: "chmod",
  access: WRITE,
  lane: "lane",
  decode: decodeNothing,
});
export const chmod: OpBuilders["chmod"] = (file, mode) =>
  request("chmod", {
    ...checkFile("chmod", file),
    mode: checkMode(mode),
  });

define("chown", {
  code: OP.chown,
  verb: "chown",
  access: WRITE,
  lane: "lane",
  decode: decodeNothing,
});
export const chown: OpBuilders["chown"] = (file, uid, gid, options) =>
  request("chown", {
    ...checkFile("chown", file),
    // All bits set leave it as it is, see chown(2)
    arg0: uid === null ? UINT32_MAX : checkInteger(uid, "uid", 0, UINT32_MAX - 1),
    arg1: gid === null ? UINT32_MAX : checkInteger(gid, "gid", 0, UINT32_MAX - 1),
    flags: own(options, "followSymlinks") === false ? AT_SYMLINK_NOFOLLOW : 0,
  });

define("utime", {
  code: OP.utime,
  verb: "utime",
  access: WRITE,
  lane: "lane",
  decode: decodeNothing,
});
export const utime: OpBuilders["utime"] = (file, atime, mtime) => {
  const accessed = checkTime(atime, "atime");
  const modified = checkTime(mtime, "mtime");
  return request("utime", {
    ...checkFile("utime", file),
    offset: accessed.seconds,
    ...splitArgument(modified.seconds),
    arg2: accessed.nanoseconds,
    arg3: modified.nanoseconds,
  });
};

define("access", {
  code: OP.access,
  verb: "access",
  access: READ,
  lane: "lane",
  decode: decodeNothing,
});
export const access: OpBuilders["access"] = (path, mode) =>
  request("access", {
    fd: checkAt(mode),
    path: toPath(path, "access"),
    mode: (own(mode, "read") ? R_OK : 0) | (own(mode, "write") ? W_OK : 0) |
      (own(mode, "execute") ? X_OK : 0),
  });
