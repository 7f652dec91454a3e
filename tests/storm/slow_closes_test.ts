// Copyright 2026 the ioq authors. MIT license.

/**
 * Where a file system has something to do at each close, as overlayfs in every container, a
 * ring hands closes to threads of the kernel's: then lanes do it. How long that takes is
 * the file system's to say, so it is one that takes long enough for everybody to see.
 */

import { assertEquals } from "@std/assert";
import { op } from "../../mod.ts";
import { forEachBackendOnFuse } from "./fuse.ts";
import { mountFuse } from "./mount.ts";

/** Closes that show that it is so; see `native/ring/ring.c`. */
const SHOWN = 4;
const FILES = 20;

forEachBackendOnFuse("closes that the kernel hands to threads go to lanes", async ({ open }) => {
  await using fs = await mountFuse({ tree: { directories: 1, files: SHOWN + FILES, bytes: 1 } });
  await using ioq = await open();
  const fds = await Promise.all(
    Array.from({ length: SHOWN + FILES }, (_, i) => ioq.run(op.open(fs.at(`d0/f${i}`)))),
  );
  await fs.tell({ latencyUs: { flush: 50_000 } });
  for (const fd of fds.splice(0, SHOWN)) {
    await ioq.run(op.close(fd));
  }
  const { ring, worker } = ioq.completed;
  await Promise.all(fds.map((fd) => ioq.run(op.close(fd))));
  assertEquals([ioq.completed.ring - ring, ioq.completed.worker - worker], [0, FILES]);
}, (row) => row.nativeThreads && row.options.backend !== "threads");
