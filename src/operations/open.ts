// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening and closing.
 *
 * @module
 */

import type { PlainCall } from "./plain_call.ts";
import { UNSUPPORTED } from "../linux/errors.ts";
import { OP } from "../../ffi/layout.ts";
import { decodeNothing, decodeResult } from "./decode.ts";
import { define } from "./operation.ts";
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
import { CoreRequest, IoqRequest, request } from "./request.ts";
import { ownOptions } from "../own_option.ts";
import { toPath } from "../path.ts";
import { type Access, READ, WRITE } from "../permissions.ts";
import { checkDirectory, checkFd, checkMode, pathRequest } from "./arguments.ts";
import type { OpBuilders } from "./values.ts";
import type { OpenRequestOptions } from "./request_options.ts";

/** The `open(2)` flags of options, checked as Deno checks its own. */
function openFlags(options: OpenRequestOptions): { flags: number; access: Access } {
  const { write, append, truncate, create, createNew, direct, dsync, noFollow, directory } =
    options;
  let { read } = options;
  for (const flag of [read, write, append, truncate, create, createNew]) {
    if (flag !== undefined && typeof flag !== "boolean") {
      throw new TypeError(`Expected an option to be a boolean, got ${typeof flag}`);
    }
  }
  if (
    read === undefined && write === undefined && append === undefined &&
    truncate === undefined && create === undefined && createNew === undefined
  ) {
    // What is ours alone opens for reading
    read = Boolean(direct || dsync || noFollow || directory || options.at !== undefined);
  }
  if (!read && !write && !append && !truncate && !create && !createNew) {
    // No TypeError, as for Deno
    throw new Error("'options' requires at least one option to be true");
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

/** Nobody can say where the runtime's buffers begin, as direct transfers need it. */
function plainOpen(call: PlainCall): number {
  return call.flags & O_DIRECT ? call.fail(UNSUPPORTED.direct) : call.openToKeep(call.flags);
}

function plainClose(call: PlainCall): number {
  call.close(call.fd);
  return 0;
}

define("open", {
  code: OP.open,
  verb: "open",
  opens: true,
  lane: "ring",
  decode: decodeResult,
  plain: plainOpen,
});
export const open: OpBuilders["open"] = (path, options = { read: true }) => {
  const all = ownOptions(options);
  const { flags, access } = openFlags(all);
  const core = new CoreRequest("open");
  core.setPath(toPath(path, "open"), checkDirectory(all.at, "at"), access);
  core.mode = checkMode(all.mode, 0o666);
  core.flags = flags;
  return new IoqRequest(core);
};

define("close", {
  code: OP.close,
  verb: "close",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeNothing,
  closes: true,
  plain: plainClose,
});
export const close: OpBuilders["close"] = (fd) => request("close", { fd: checkFd(fd) });

define("openDir", {
  code: OP.openDir,
  verb: "opendir",
  access: READ,
  lane: "ring",
  decode: decodeResult,
  plain: (call) => call.openToKeep(call.flags | O_DIRECTORY),
});
export const openDir: OpBuilders["openDir"] = (path, options) =>
  pathRequest("openDir", path, options);

define("closeDir", {
  code: OP.closeDir,
  verb: "closedir",
  onDescriptor: READ,
  lane: "ring",
  decode: decodeNothing,
  closes: true,
  plain: plainClose,
});
export const closeDir: OpBuilders["closeDir"] = (fd) => request("closeDir", { fd: checkFd(fd) });
