// Copyright 2026 the ioq authors. MIT license.

/**
 * Opening the worker backend, in the shape that this process allows: Workers or this
 * thread, with the library or with the runtime's own calls.
 *
 * @module
 */

import { BUNDLED, isBundled } from "../bundled.ts";
import { LibraryError, loadLibrary, modulePath } from "../../ffi/library.ts";
import type { Backend, BackendInfo, Sink } from "./backend.ts";
import { heedBroker } from "./native.ts";
import { type BackendChoice, tryLibrary, type Unavailable } from "./open_backend.ts";
import { NativeWaits } from "./worker/native_waits.ts";
import { ThisThread } from "./worker/this_thread.ts";
import { Timers } from "./worker/timers.ts";
import { LibraryExecutor } from "./worker/with_library.ts";
import { DenoExecutor, refusalOf } from "./worker/without_library.ts";
import { Workers } from "./worker/workers.ts";
import { WorkerBackend, type WorkerParts } from "./worker.ts";

/** Where lanes get their code from, and what they need for that. */
const LANE_MODULE = new URL("./worker/lane.ts", import.meta.url);

/**
 * Never called. It puts what Workers run into the module graph, where a URL alone does not:
 * so `deno cache` fetches it, and packages have it.
 */
export const importLane = (): Promise<unknown> => import("./worker/lane.ts");

/** Why the lanes' code may not be read, or is nowhere, if so. */
function whyNoWorker(module: URL): string | undefined {
  if (module === LANE_MODULE && isBundled(import.meta.url, "open_worker")) {
    return `no Worker may be started, since ${BUNDLED}`;
  }
  if (module.protocol !== "file:") {
    return undefined;
  }
  // Lanes import what is beside them, too
  const root = modulePath(new URL("../../../", module));
  const { state } = Deno.permissions.querySync({ name: "read", path: root });
  return state === "granted"
    ? undefined
    : `no Worker may be started without --allow-read=${root.replace(/(?<=.)\/$/, "")}`;
}

/** Web Workers of one queue: each takes some megabytes, and a thread of the runtime's. */
const WORKERS_MAX = 16;

/** Open the worker backend; `preferred` is why it is not another one. */
export function openWorker(
  choice: BackendChoice,
  preferred: Unavailable | undefined,
  sink: Sink,
): Backend {
  const { depth } = choice;
  const threads = Math.min(choice.threads, WORKERS_MAX);
  const found = tryLibrary(choice.library);
  const library = found instanceof LibraryError ? undefined : found;
  if (library !== undefined) {
    heedBroker(library.symbols);
  }
  const reasons: string[] = [];
  if (preferred !== undefined) {
    reasons.push(preferred.message);
  } else if (found instanceof LibraryError) {
    reasons.push(`Without the native library: ${found.message}`);
  }
  const module = choice.module === undefined ? LANE_MODULE : choice.module;
  const refused = module === null ? "no Worker may be started" : whyNoWorker(module);

  const openThisThread: WorkerParts["openThisThread"] = (completed, sink, wait) =>
    library === undefined
      ? new ThisThread(new DenoExecutor(), completed, sink, {
        wait,
        openPatient: () => new DenoExecutor(true),
      })
      : new ThisThread(new LibraryExecutor(loadLibrary(library.path), true), completed, sink, {
        wait,
        openPatient: () => new LibraryExecutor(loadLibrary(library.path)),
      });
  const parts: WorkerParts = {
    hasLibrary: library !== undefined,
    refuse: library === undefined ? refusalOf : () => 0,
    describe: (lost = refused): BackendInfo => {
      const calls = library === undefined ? "Deno's own calls, which lack some operations" : "";
      const all = [...reasons];
      if (lost !== undefined) {
        all.push(`${lost}: requests run on the queue's own thread${calls && `, by ${calls}`}`);
      } else if (library === undefined) {
        all.push(`Workers use ${calls}`);
      }
      return {
        kind: "worker",
        lanes: lost === undefined ? threads : 1,
        ...(all.length > 0 ? { reason: all.join("; ") } : {}),
        ...(preferred?.code === undefined ? {} : { code: preferred.code }),
        ...(preferred?.errno === undefined ? {} : { errno: preferred.errno }),
      };
    },
    openWaits: (complete, wake) =>
      library === undefined
        ? new Timers(complete, wake)
        : new NativeWaits(library, depth, complete, wake),
    openRunner: (completed, sink, wait, giveUp) =>
      module === null || refused !== undefined
        ? openThisThread(completed, sink, wait)
        : new Workers({ depth, threads, library, module, completed, sink, wait, giveUp }),
    openThisThread,
    retries: library === undefined,
    release: () => library?.release(),
  };
  try {
    return new WorkerBackend(parts, sink);
  } catch (error) {
    library?.release();
    throw error;
  }
}
