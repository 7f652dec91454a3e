// Copyright 2026 the ioq authors. MIT license.

/**
 * Whole files and directories, opened, gone through and closed by one request; and
 * the blocks of a directory.
 *
 * @module
 */

import { O_APPEND, O_CREAT, O_EXCL, O_TRUNC, O_WRONLY } from "../linux/fcntl.ts";
import { CoreRequest } from "./request.ts";
import { toPath } from "../path.ts";
import { checkAt, checkBytes, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";

export const readFile: OpBuilders["readFile"] = (path, options) =>
  pathRequest("readFile", path, options);

export const writeFile: OpBuilders["writeFile"] = (path, bytes, options) =>
  new CoreRequest("writeFile", {
    fd: checkAt(options),
    path: toPath(path, "writefile"),
    bytes: checkBytes(bytes, "bytes"),
    length: bytes.byteLength,
    flags: O_WRONLY | (options?.append ? O_APPEND : O_TRUNC) |
      (options?.createNew ? O_CREAT | O_EXCL : (options?.create ?? true) ? O_CREAT : 0),
    mode: checkMode(options?.mode, 0o666),
    arg0: options?.mode === undefined ? 0 : 1,
  });

export const copyFile: OpBuilders["copyFile"] = (from, to) =>
  new CoreRequest("copyFile", { path: toPath(from, "copy"), path2: toPath(to, "copy") });

export const readDir: OpBuilders["readDir"] = (path, options) =>
  pathRequest("readDir", path, options);

export const readDirBlock: OpBuilders["readDirBlock"] = (fd) =>
  new CoreRequest("readDirBlock", { fd: checkFd(fd) });
