// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening and closing.
 *
 * @module
 */

import { ownOption as own } from "../own_option.ts";
import {
  O_APPEND,
  O_CREAT,
  O_DIRECT,
  O_DIRECTORY,
  O_DSYNC,
  O_EXCL,
  O_NOFOLLOW,
  O_RDONLY,
  O_RDWR,
  O_TRUNC,
  O_WRONLY,
} from "../linux/fcntl.ts";
import { request } from "./request.ts";
import { toPath } from "../path.ts";
import { type Access, READ, WRITE } from "../permissions.ts";
import { checkAt, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./builders.ts";
import type { OpenRequestOptions } from "./request_options.ts";

/** The `open(2)` flags of options, checked as Deno checks its own. */
function openFlags(options: OpenRequestOptions): { flags: number; access: Access } {
  const asked = own(options, "read");
  const write = own(options, "write");
  const append = own(options, "append");
  const truncate = own(options, "truncate");
  const create = own(options, "create");
  const createNew = own(options, "createNew");
  const direct = own(options, "direct");
  const dsync = own(options, "dsync");
  const noFollow = own(options, "noFollow");
  const directory = own(options, "directory");
  const modes = [asked, write, append, truncate, create, createNew];
  const ownOnly = modes.every((mode) => mode === undefined) &&
    (direct || dsync || noFollow || directory || own(options, "at") !== undefined);
  const read = asked || ownOnly;
  if (!read && !modes.some(Boolean)) {
    throw new TypeError("'options' requires at least one option to be true");
  }
  if (!write && truncate) {
    throw new TypeError("'truncate' option requires 'write' to be true");
  }
  if (!write && !append && (create || createNew)) {
    throw new TypeError("'create' or 'createNew' options require 'write' or 'append' to be true");
  }
  if (append && truncate && !createNew) {
    throw new TypeError("'truncate' option cannot be combined with 'append'");
  }
  const writes = write || append;
  if (dsync && !writes) {
    throw new TypeError("'dsync' option requires 'write' or 'append' to be true");
  }
  if (directory && (writes || direct)) {
    throw new TypeError("'directory' option cannot be combined with 'write', 'append' or 'direct'");
  }
  return {
    flags: (writes ? read ? O_RDWR : O_WRONLY : O_RDONLY) |
      (append ? O_APPEND : 0) | (truncate ? O_TRUNC : 0) |
      (createNew ? O_CREAT | O_EXCL : create ? O_CREAT : 0) |
      (direct ? O_DIRECT : 0) | (dsync ? O_DSYNC : 0) |
      (noFollow ? O_NOFOLLOW : 0) | (directory ? O_DIRECTORY : 0),
    access: (read ? READ : 0) | (writes ? WRITE : 0),
  };
}

export const open: OpBuilders["open"] = (path, options = { read: true }) => {
  const { flags, access } = openFlags(options);
  return request("open", {
    fd: checkAt(options),
    path: toPath(path, "open"),
    mode: checkMode(own(options, "mode"), 0o666),
    flags,
    access,
  });
};

export const close: OpBuilders["close"] = (fd) => request("close", { fd: checkFd(fd) });

export const openDir: OpBuilders["openDir"] = (path, options) =>
  pathRequest("openDir", path, options);

export const closeDir: OpBuilders["closeDir"] = (fd) => request("closeDir", { fd: checkFd(fd) });
