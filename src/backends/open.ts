// Copyright 2026 the ioq authors. MIT license.

/**
 * Choosing a backend, and telling why it is that one.
 *
 * @module
 */

import { LibraryError, loadLibrary, readEnv } from "../../ffi/library.ts";
import type { Backend, BackendKind, Sink } from "../backend.ts";
import { errnoCode } from "../errors.ts";
import { explainRingError, NativeBackend, NativeOpenError } from "./native.ts";

/** What was asked for. */
export interface BackendChoice {
  /** Which kind, or the best there is. */
  readonly backend: "auto" | BackendKind;
  /** Bound on requests that are in flight. */
  readonly depth: number;
  /** The most worker threads. */
  readonly threads: number;
  /** Whether worker threads have rings of their own. */
  readonly threadRings: boolean;
  /** Whether raw SQEs are taken. */
  readonly rawSqe: boolean;
  /** The native library's file, if a certain one is wanted. */
  readonly library: string | undefined;
}

const KINDS: readonly string[] = ["auto", "uring", "threads", "worker"];

/** Check the name of a backend. */
function toKind(value: unknown, name: string): "auto" | BackendKind {
  if (typeof value !== "string" || !KINDS.includes(value)) {
    throw new TypeError(`Expected ${name} to be one of ${KINDS.join(", ")}, got ${value}`);
  }
  return value as "auto" | BackendKind;
}

/**
 * Which backend is wanted: the caller's choice, else the environment's. Read
 * before anything is tried, because some sandboxes kill a process for trying.
 */
export function chooseBackend(option: unknown): "auto" | BackendKind {
  const chosen = option === undefined ? "auto" : toKind(option, "backend");
  if (chosen !== "auto") {
    return chosen;
  }
  const env = readEnv("IOQ_BACKEND");
  return env === undefined ? "auto" : toKind(env, "IOQ_BACKEND");
}

/**
 * Open a backend.
 *
 * @throws {Deno.errors.NotSupported} If it cannot be had, with the reason in
 *         words, `cause`, and, if the operating system refused, `code` and `errno`.
 */
export function openBackend(choice: BackendChoice, sink: Sink): Backend {
  if (choice.backend === "worker") {
    throw new Deno.errors.NotSupported("The worker backend is not available in this version");
  }

  let library;
  try {
    library = loadLibrary(choice.library);
  } catch (error) {
    if (error instanceof LibraryError) {
      throw new Deno.errors.NotSupported(error.message, { cause: error });
    }
    throw error;
  }

  const { depth, threads, threadRings, rawSqe } = choice;
  const ring = choice.backend !== "threads";
  try {
    return new NativeBackend(
      library,
      { depth, threads, ring, laneRings: threadRings, rawSqe },
      sink,
    );
  } catch (error) {
    library.release();
    if (error instanceof NativeOpenError) {
      const what = ring ? "Cannot set up a ring" : "Cannot start worker threads";
      const unsupported = new Deno.errors.NotSupported(
        `${what}: ${error.message}: ${explainRingError(error.errno)}`,
        { cause: error },
      );
      throw Object.assign(unsupported, { code: errnoCode(error.errno), errno: error.errno });
    }
    throw error;
  }
}
