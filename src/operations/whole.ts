// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files and directories, opened, gone through and closed by one request; and
 * the blocks of a directory.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import { byteLengthOf } from "../byte_length.ts";
import { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from "../linux/fcntl.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkBytes, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

export const readFile: OpBuilders["readFile"] = (path, options) =>
  pathRequest("readFile", path, options);

export const writeFile: OpBuilders["writeFile"] = (path, bytes, options) => {
  const mode = own(options, "mode");
  return request("writeFile", {
    fd: checkAt(options),
    path: toPath(path, "writefile"),
    bytes: checkBytes(bytes, "bytes"),
    length: byteLengthOf(bytes),
    flags: O_WRONLY | (own(options, "append") ? O_APPEND : O_TRUNC) |
      (own(options, "createNew")
        ? O_CREAT | O_EXCL
        : (own(options, "create") ?? true)
        ? O_CREAT
        : 0),
    mode: checkMode(mode, 0o666),
    arg0: mode === undefined ? 0 : 1,
  });
};

export const copyFile: OpBuilders["copyFile"] = (from, to) =>
  request("copyFile", { path: toPath(from, "copy"), path2: toPath(to, "copy") });

export const readDir: OpBuilders["readDir"] = (path, options) =>
  pathRequest("readDir", path, options);

export const readDirBlock: OpBuilders["readDirBlock"] = (fd) =>
  request("readDirBlock", { fd: checkFd(fd) });
