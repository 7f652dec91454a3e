// Copyright 2026 the ioq authors. MIT license.

import { type Io, SharedMutex, SharedSemaphore } from "@ioq/ioq/loop";

/** What it is called with. */
export type LockTask = (
  role: "logs" | "waits" | "waits for a permit" | "holds and exits",
  lock: SharedArrayBuffer,
  begun: SharedArrayBuffer,
  log: Int32Array,
  number: number,
) => void;

/** Takes a shared lock, in one role or another; tells by a permit that it has begun. */
export default async function (io: Io, ...args: Parameters<LockTask>): Promise<void> {
  const [role, lock, begun, log, number] = args;
  const asked = new SharedSemaphore(begun);
  if (role === "waits for a permit") {
    const acquiring = new SharedSemaphore(lock).acquire(io);
    asked.release();
    await acquiring;
    return;
  }
  const mutex = new SharedMutex(lock);
  if (role === "holds and exits") {
    await mutex.lock(io);
    asked.release();
    await io.sleep(20);
    Deno.exit(1);
  }
  const acquiring = mutex.acquire(io);
  asked.release();
  using _guard = await acquiring;
  log[++log[0]!] = number;
}
