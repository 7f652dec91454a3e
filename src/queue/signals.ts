// Copyright 2026 the ioq authors. MIT license.

/**
 * The signals that requests in progress are aborted by: one listener for each signal,
 * however many requests share it, because to take a listener off a signal takes as long
 * as there are listeners.
 *
 * @module
 */

import { onAbort } from "../signal.ts";
import { inSteps } from "./steps.ts";

/** Signals whose requests end only when they are over. */
const patient = new WeakSet<AbortSignal>();

/**
 * Have an abort of a signal cancel its requests, but settle their promises only when the backend
 * is done with them: for calls that are to leave nothing in progress behind. A request for which
 * it was too late then tells what it did.
 */
export function makePatient(signal: AbortSignal): void {
  patient.add(signal);
}

/** Whether a signal's requests end only when they are over. */
export function isPatient(signal: AbortSignal | undefined): boolean {
  return signal !== undefined && patient.has(signal);
}

/** What one signal aborts. */
interface Watch<I> {
  readonly items: Set<I>;
  readonly listener: () => void;
}

/**
 * Aborts requests by signals, with one listener for each signal.
 *
 * @typeParam I What is aborted.
 */
export class Signals<I> {
  readonly #watches = new Map<AbortSignal, Watch<I>>();
  readonly #abort: (item: I, reason: unknown) => void;

  /** @param abort Called for each item of a signal that was aborted. */
  constructor(abort: (item: I, reason: unknown) => void) {
    this.#abort = abort;
  }

  /** Have an item aborted by a signal, which is not aborted yet. */
  add(signal: AbortSignal, item: I): void {
    let watch = this.#watches.get(signal);
    if (watch === undefined) {
      watch = { items: new Set(), listener: () => this.#fire(signal) };
      onAbort(signal, watch.listener);
      this.#watches.set(signal, watch);
    }
    watch.items.add(item);
  }

  /** An item is over; one that is not there is fine. */
  remove(signal: AbortSignal, item: I): void {
    const watch = this.#watches.get(signal);
    if (watch !== undefined && watch.items.delete(item) && watch.items.size === 0) {
      this.#forget(signal, watch);
    }
  }

  #forget(signal: AbortSignal, watch: Watch<I>): void {
    this.#watches.delete(signal);
    signal.removeEventListener("abort", watch.listener);
  }

  #fire(signal: AbortSignal): void {
    const watch = this.#watches.get(signal);
    if (watch !== undefined) {
      signal.removeEventListener("abort", watch.listener);
      // What is over between two steps is taken out, as ever
      inSteps(watch.items.values(), (item) => {
        watch.items.delete(item);
        this.#abort(item, signal.reason);
      }, () => this.#watches.delete(signal));
    }
  }
}
