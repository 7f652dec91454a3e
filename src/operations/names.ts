// Copyright 2026 the ioq authors. MIT license.

/**
 * Names of files: making, changing, removing and resolving them.
 *
 * @module
 */

import { AT_FDCWD } from "../linux/fcntl.ts";
import { CoreRequest } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

const RENAME_NOREPLACE = 1;
const RENAME_EXCHANGE = 2;

export const mkdir: OpBuilders["mkdir"] = (path, options) =>
  new CoreRequest("mkdir", {
    fd: checkAt(options),
    path: toPath(path, "mkdir"),
    mode: checkMode(options?.mode, 0o777),
  });

export const rmdir: OpBuilders["rmdir"] = (path, options) => pathRequest("rmdir", path, options);

export const unlink: OpBuilders["unlink"] = (path, options) => pathRequest("unlink", path, options);

export const rename: OpBuilders["rename"] = (from, to, options) =>
  new CoreRequest("rename", {
    fd: checkAt(options),
    fd2: options?.toAt === undefined ? AT_FDCWD : checkFd(options.toAt),
    path: toPath(from, "rename"),
    path2: toPath(to, "rename"),
    flags: (options?.noReplace ? RENAME_NOREPLACE : 0) |
      (options?.exchange ? RENAME_EXCHANGE : 0),
  });

export const link: OpBuilders["link"] = (from, to) =>
  new CoreRequest("link", { path: toPath(from, "link"), path2: toPath(to, "link") });

export const symlink: OpBuilders["symlink"] = (target, path, options) =>
  new CoreRequest("symlink", {
    fd2: checkAt(options),
    path: toPath(target, "symlink"),
    path2: toPath(path, "symlink"),
  });

export const readLink: OpBuilders["readLink"] = (path, options) =>
  pathRequest("readLink", path, options);

export const realPath: OpBuilders["realPath"] = (path) => pathRequest("realPath", path);
