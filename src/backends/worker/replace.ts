// Copyright 2026 the ioq authors. MIT license.

/**
 * Replacing a file as a whole by the runtime's own calls, as `native/calls/replace.c` does it.
 *
 * @module
 */

import { ENOREPLACE, WRITE_DURABLE } from "../../../ffi/layout.ts";
import { ERRNO } from "../../linux/errors.ts";
import { O_CREAT, O_EXCL } from "../../linux/fcntl.ts";
import type { PlainCall } from "../../operations/plain_call.ts";
import { temporaryName } from "../../operations/replace.ts";
import { ownOptions } from "../../own_option.ts";

/** Links that lead to links, as many as the kernel follows. */
const LINKS_MAX = 40;
/** Temporary files of one name at the same time. */
const SLOTS_MAX = 64;
/** How often a temporary file may be taken away from under its maker. */
const TRIES_MAX = 1000;
const SET_ID = 0o6000;

/** A file's attributes, if it is there. */
function lookAt(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.lstatSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      return undefined;
    }
    throw error;
  }
}

/** How to open a file to write to it, and nothing that somebody wrote to all objects. */
const TO_WRITE = ownOptions({ write: true });

/** Where a file is, or is to be. */
interface Target {
  /** Its folder, with a slash at its end unless it is the current one. */
  readonly folder: string;
  /** Its name there. */
  readonly name: string;
  /** What it is like, if it is there. */
  readonly old: Deno.FileInfo | undefined;
}

/** Find out where a file is, following links by hand. */
function findTarget(call: PlainCall): Target {
  let path = call.path;
  if (path === "") {
    call.fail(ERRNO.ENOENT!);
  }
  for (let links = 0; links < LINKS_MAX; links++) {
    const slash = path.lastIndexOf("/") + 1;
    const target = { folder: path.slice(0, slash), name: path.slice(slash) };
    if (target.name === "" || target.name === "." || target.name === "..") {
      const info = lookAt(path);
      call.fail(info === undefined || info.isDirectory ? ERRNO.EISDIR! : ERRNO.ENOTDIR!);
    }
    const old = lookAt(path);
    if (old === undefined) {
      // Says whether it is the folder that is missing
      Deno.lstatSync(target.folder || ".");
    }
    if (!old?.isSymlink || call.flags & O_EXCL) {
      return { ...target, old };
    }
    const link = Deno.readLinkSync(path);
    path = link.startsWith("/") ? link : target.folder + link;
  }
  return call.fail(ERRNO.ELOOP!);
}

/** Check that a target may be replaced, as far as open(2) would have it. */
function checkTarget(call: PlainCall, { folder, name, old }: Target): void {
  if (old === undefined) {
    return call.flags & O_CREAT ? undefined : call.fail(ERRNO.ENOENT!);
  }
  if (call.flags & O_EXCL) {
    call.fail(ERRNO.EEXIST!);
  }
  if (!old.isFile) {
    call.fail(old.isDirectory ? ERRNO.EISDIR! : ENOREPLACE);
  }
  // Whether it may be written: nothing is, nor waited for
  Deno.openSync(folder + name, TO_WRITE).close();
}

/** Whether a path leads to an open file. */
function leadsTo(path: string, { dev, ino }: Deno.FileInfo): boolean {
  const info = lookAt(path);
  return info?.dev === dev && info?.ino === ino;
}

/** Remove a temporary file that nobody is writing; returns whether it is gone. */
function reap(path: string): boolean {
  try {
    if (!Deno.lstatSync(path).isFile) {
      return false;
    }
    using file = Deno.openSync(path, TO_WRITE);
    const info = file.statSync();
    if (!file.tryLockSync(true)) {
      return false;
    }
    if (leadsTo(path, info)) {
      Deno.removeSync(path, { recursive: false });
    }
    return true;
  } catch (error) {
    // What cannot be locked might be in use
    return error instanceof Deno.errors.NotFound;
  }
}

/** A temporary file. */
interface Temporary {
  readonly file: Deno.FsFile;
  readonly path: string;
}

/** Make a temporary file, which is locked. */
function makeTemporary(call: PlainCall, { folder, name, old }: Target): Temporary {
  const mode = old !== undefined || call.arg0 ? 0o600 : call.mode & 0o777;
  let slot = 0;
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const number = slot < SLOTS_MAX ? slot : Math.floor(SLOTS_MAX + Math.random() * 0x7fffffff);
    const path = folder + temporaryName(name, number);
    let file;
    try {
      file = Deno.openSync(path, ownOptions({ write: true, createNew: true, mode }));
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) {
        throw error;
      }
      slot += reap(path) ? 0 : 1;
      continue;
    }
    try {
      if (!file.tryLockSync(true)) {
        // Somebody takes it for a forgotten one, and removes it
        file.close();
        slot++;
        continue;
      }
    } catch {
      // A file system without locks
    }
    if (file.statSync().nlink === 0) {
      file.close();
      continue;
    }
    for (let at = slot + 1; at < SLOTS_MAX; at++) {
      const next = folder + temporaryName(name, at);
      if (lookAt(next) === undefined || !reap(next)) {
        break;
      }
    }
    return { file, path };
  }
  return call.fail(ERRNO.EEXIST!);
}

/** Give a new file what is kept of the old one, and the mode that is asked for. */
function keepAttributes(call: PlainCall, { old }: Target, { file, path }: Temporary): void {
  if (old === undefined && !call.arg0) {
    return;
  }
  const { uid, gid, size } = file.statSync();
  if (old !== undefined && (uid !== old.uid || gid !== old.gid)) {
    Deno.chownSync(path, old.uid, old.gid);
  }
  const mode = call.arg0 ? call.mode : old!.mode! & 0o7777;
  Deno.chmodSync(path, mode);
  if (!call.arg0 && mode & SET_ID) {
    // The kernel knows who may keep these bits when he writes: to cut nothing off is a write
    file.truncateSync(size);
  }
}

function syncFolder(folder: string): void {
  using directory = Deno.openSync(folder || ".");
  directory.syncSync();
}

/**
 * Check that a temporary file may be looked at once it is open: the runtime asks for where
 * links have led to its folder. What is refused is not to be made.
 */
function checkFolder(folder: string): void {
  using directory = Deno.openSync(folder || ".");
  directory.statSync();
}

/** Replace a file. */
export function replaceFile(call: PlainCall): number {
  const target = findTarget(call);
  checkTarget(call, target);
  checkFolder(target.folder);
  const temporary = makeTemporary(call, target);
  using file = temporary.file;
  const path = target.folder + target.name;
  const durable = (call.arg1 & WRITE_DURABLE) !== 0;
  try {
    // Shared memory is nothing that the runtime's own call takes
    const bytes = call.bytes.slice();
    for (let done = 0; done < bytes.length;) {
      done += file.writeSync(bytes.subarray(done));
    }
    keepAttributes(call, target, temporary);
    if (durable) {
      file.syncSync();
    }
    if (call.flags & O_EXCL) {
      Deno.linkSync(temporary.path, path);
      Deno.removeSync(temporary.path, { recursive: false });
    } else {
      Deno.renameSync(temporary.path, path);
    }
  } catch (error) {
    try {
      Deno.removeSync(temporary.path, { recursive: false });
    } catch {
      // What went wrong first is told
    }
    throw error;
  }
  if (durable) {
    syncFolder(target.folder);
  }
  return call.bytes.length;
}

/** What was written is to reach the device, and its name as well. */
export function makeDurable(call: PlainCall, fd: number): void {
  try {
    call.fs.fsyncSync(fd);
  } catch (error) {
    if ((error as { code?: string }).code === "EINVAL") {
      // Pipes and terminals have nothing to sync
      return;
    }
    throw error;
  }
  syncFolder(findTarget(call).folder);
}

/** What was written is to keep its name as well. */
export function syncFolderOf(call: PlainCall): void {
  syncFolder(findTarget(call).folder);
}
