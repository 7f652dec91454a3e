// Copyright 2026 the ioq authors. MIT license.

/**
 * Names of files: making, changing, removing and resolving them.
 *
 * @module
 */

import type { PlainCall } from "./plain_call.ts";
import { ERRNO, UNSUPPORTED } from "../linux/errors.ts";
import { REMOVE_TREE } from "./request.ts";
import { OP, UNLINK_ANY } from "../../ffi/layout.ts";
import { decodeNothing, decodePath } from "./decode.ts";
import { define } from "./operation.ts";
import { READ, WRITE } from "../permissions.ts";
import { ownOption as own } from "../own_option.ts";
import { AT_REMOVEDIR } from "../linux/fcntl.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkDirectory, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

/** Remove a name; the calls beneath would take a directory for a file. */
function plainUnlink(call: PlainCall): number {
  const { path, flags, fs } = call;
  if (flags === REMOVE_TREE) {
    // A slash at its end would have the runtime empty what a link leads to
    const name = path.replace(/(?<=[^/])\/+$/, "");
    // What is missing now was; what is missing later has been removed by others as well
    const { isDirectory } = Deno.lstatSync(name);
    if (!isDirectory && name !== path) {
      call.fail(ERRNO.ENOTDIR!);
    }
    try {
      Deno.removeSync(name, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) {
        throw error;
      }
    }
    return 0;
  }
  const name = path.replace(/(?<=[^/])\/+$/, "");
  const isDirectory = isDirectoryItself(name);
  const asDirectory = flags === AT_REMOVEDIR || (call.arg0 === UNLINK_ANY && isDirectory === true);
  if (asDirectory && /(?:^|\/)\.$/.test(name)) {
    // Node would take it for the directory's name
    call.fail(ERRNO.EINVAL!);
  }
  if (isDirectory === false && (asDirectory || name !== path)) {
    call.fail(ERRNO.ENOTDIR!);
  }
  if (asDirectory) {
    fs.rmdirSync(path);
  } else {
    if (isDirectory) {
      call.fail(ERRNO.EISDIR!);
    }
    Deno.removeSync(path, { recursive: false });
  }
  return 0;
}

/**
 * Whether something is a directory and no link to one; `undefined` if that is not told:
 * what may not be read, and is as if it were not there, may be removed all the same.
 */
function isDirectoryItself(path: string): boolean | undefined {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return undefined;
    }
    throw error;
  }
}

function plainRename(call: PlainCall): number {
  if (call.flags !== 0) {
    call.fail(UNSUPPORTED.renameFlags);
  }
  Deno.renameSync(call.path, call.path2);
  return 0;
}

function plainMkdir(call: PlainCall): number {
  // Said in full: the runtime reads what its options inherit
  Deno.mkdirSync(call.path, { mode: call.mode, recursive: false });
  return 0;
}

function plainSymlink(call: PlainCall): number {
  if (call.rawPath === "") {
    call.fail(ERRNO.ENOENT!);
  }
  Deno.symlinkSync(call.rawPath, call.path2);
  return 0;
}

function plainLink(call: PlainCall): number {
  Deno.linkSync(call.path, call.path2);
  return 0;
}

/** A path that the runtime tells, if that can be text. */
function plainPath(call: PlainCall, tell: (path: string) => string): number {
  let path;
  try {
    path = tell(call.path);
  } catch (error) {
    if (error instanceof Deno.errors.InvalidData) {
      call.fail(UNSUPPORTED.rawName);
    }
    throw error;
  }
  call.putText(path);
  return call.payload.length;
}

define("mkdir", {
  code: OP.mkdir,
  verb: "mkdir",
  access: WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: plainMkdir,
});
export const mkdir: OpBuilders["mkdir"] = (path, options) =>
  request("mkdir", {
    fd: checkAt(options),
    path: toPath(path, "mkdir"),
    mode: checkMode(own(options, "mode"), 0o777),
  });

define("rmdir", {
  code: OP.unlink,
  verb: "remove",
  flags: AT_REMOVEDIR,
  access: WRITE,
  lane: "overflow",
  decode: decodeNothing,
});
export const rmdir: OpBuilders["rmdir"] = (path, options) => pathRequest("rmdir", path, options);

define("unlink", {
  code: OP.unlink,
  verb: "remove",
  access: WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: plainUnlink,
});
export const unlink: OpBuilders["unlink"] = (path, options) => pathRequest("unlink", path, options);

define("rename", {
  code: OP.rename,
  verb: "rename",
  access: READ | WRITE,
  access2: WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: plainRename,
});
export const rename: OpBuilders["rename"] = (from, to, options) =>
  request("rename", {
    fd: checkAt(options),
    fd2: checkDirectory(own(options, "toAt"), "toAt"),
    path: toPath(from, "rename"),
    path2: toPath(to, "rename"),
    flags: (own(options, "noReplace") ? RENAME_NOREPLACE : 0) |
      (own(options, "exchange") ? RENAME_EXCHANGE : 0),
  });

define("link", {
  code: OP.link,
  verb: "link",
  access: READ | WRITE,
  access2: WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: plainLink,
});
export const link: OpBuilders["link"] = (from, to, options) =>
  request("link", {
    fd: checkAt(options),
    fd2: checkDirectory(own(options, "toAt"), "toAt"),
    path: toPath(from, "link"),
    path2: toPath(to, "link"),
  });

define("symlink", {
  code: OP.symlink,
  verb: "symlink",
  access2: READ | WRITE,
  lane: "overflow",
  decode: decodeNothing,
  plain: plainSymlink,
});
export const symlink: OpBuilders["symlink"] = (target, path, options) =>
  request("symlink", {
    fd2: checkAt(options),
    path: toPath(target, "symlink"),
    path2: toPath(path, "symlink"),
  });

define("readLink", {
  code: OP.readLink,
  verb: "readlink",
  access: READ,
  lane: "lane",
  decode: decodePath,
  plain: (call) => plainPath(call, Deno.readLinkSync),
});
export const readLink: OpBuilders["readLink"] = (path, options) =>
  pathRequest("readLink", path, options);

define("realPath", {
  code: OP.realPath,
  verb: "realpath",
  access: READ,
  lane: "lane",
  decode: decodePath,
  plain: (call) => plainPath(call, Deno.realPathSync),
});
export const realPath: OpBuilders["realPath"] = (path, options) =>
  pathRequest("realPath", path, options);
