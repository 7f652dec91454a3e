// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening a file. What an open file can do is loaded with the first one.
 *
 * @module
 */

import { OWN } from "../construction.ts";
import { LateModule } from "../late.ts";
import { lenientOpenMode } from "../lenient.ts";
import { op } from "../operations/op.ts";
import type { OpenRequestOptions } from "../operations/request_options.ts";
import { toCoreRequest } from "../operations/request.ts";
import { ownOptions } from "../own_option.ts";
import type { Path } from "../path.ts";
import { limitsOf, type OperationOptions, type Runner, runOn } from "../queue/runner.ts";
import type { IoqFile } from "./file.ts";

const FILE = new LateModule(() => import("./file.ts"));

/** Open a file on a queue. */
export async function openFile(
  ioq: Runner,
  path: Path,
  options?: OpenRequestOptions & OperationOptions | null,
): Promise<IoqFile> {
  const open = ownOptions(options ?? { read: true });
  const limits = limitsOf(open);
  const { signal, timeoutMs } = open;
  delete open.signal;
  delete open.timeoutMs;
  if (open.mode === null) {
    delete open.mode;
  } else if (open.mode !== undefined) {
    open.mode = lenientOpenMode(open.mode);
  }
  // What says how long it may take says nothing of how; what says nothing at all is refused,
  // as by Deno
  const isLimited = signal !== undefined || timeoutMs !== undefined;
  // Before anything is waited for: what relative paths mean now, they mean then
  const request = toCoreRequest(
    op.open(path, isLimited && Object.keys(open).length === 0 ? { read: true } : open),
  );
  const { IoqFile } = FILE.loaded ?? await FILE.load();
  // At its very completion, so that no queue closes before it knows of the file
  const opening = request.readBy((fd) => new IoqFile(OWN, ioq, fd, path, open));
  return await runOn(ioq, opening, limits);
}
