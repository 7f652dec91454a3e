// Copyright 2026 the ioq authors. MIT license.

/**
 * Names of files: making, changing, removing and resolving them.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import { checkInteger } from "../integer.ts";
import type { RenameOptions } from "./request_options.ts";
import { AT_FDCWD } from "../linux/fcntl.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

export const mkdir: OpBuilders["mkdir"] = (path, options) =>
  request("mkdir", {
    fd: checkAt(options),
    path: toPath(path, "mkdir"),
    mode: checkMode(own(options, "mode"), 0o777),
  });

export const rmdir: OpBuilders["rmdir"] = (path, options) => pathRequest("rmdir", path, options);

export const unlink: OpBuilders["unlink"] = (path, options) => pathRequest("unlink", path, options);

/** Check the directory descriptor that the new path begins at. */
function checkToAt(options: RenameOptions | undefined): number {
  const toAt = own(options, "toAt");
  return toAt === undefined ? AT_FDCWD : checkInteger(toAt, "toAt", 0, 0x7fffffff);
}

export const rename: OpBuilders["rename"] = (from, to, options) =>
  request("rename", {
    fd: checkAt(options),
    fd2: checkToAt(options),
    path: toPath(from, "rename"),
    path2: toPath(to, "rename"),
    flags: (own(options, "noReplace") ? RENAME_NOREPLACE : 0) |
      (own(options, "exchange") ? RENAME_EXCHANGE : 0),
  });

export const link: OpBuilders["link"] = (from, to) =>
  request("link", { path: toPath(from, "link"), path2: toPath(to, "link") });

export const symlink: OpBuilders["symlink"] = (target, path, options) =>
  request("symlink", {
    fd2: checkAt(options),
    path: toPath(target, "symlink"),
    path2: toPath(path, "symlink"),
  });

export const readLink: OpBuilders["readLink"] = (path, options) =>
  pathRequest("readLink", path, options);

export const realPath: OpBuilders["realPath"] = (path) => pathRequest("realPath", path);
