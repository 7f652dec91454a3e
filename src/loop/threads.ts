// Copyright 2026 the ioq authors. MIT license.

/**
 * Which threads have ended
 * ========================
 *
 * What is shared between threads has to know who holds it and who waits for it, and
 * whether they still can. Each thread has a number. The thread that starts Workers of a
 * pool gives them theirs, together with a list in shared memory, the roll, on which it
 * writes the number of each Worker that has ended:
 *
 *     started, reserved ──▶ entry written ──▶ counted, and those who watch are woken
 *
 * Numbers are random, so that threads with different rolls, such as Workers that a
 * program starts by itself, do not take each other for somebody who has ended. A number
 * that is on no roll belongs to a thread that lives.
 *
 * @module
 */

/** How many have ended: what those wait for that watch. */
const ENDED = 0;
/**
 * By the last bits of a number: how many were written there, and the newest of them. The
 * others are forgotten; whoever watches has seen them.
 */
const PLACES = 256;
const PLACE_WORDS = 8;

/** Numbers are from 1 to 2^30 - 1: what is above is for flags. */
export const THREAD_BITS = 30;

/** A number for a thread. */
export function newThread(): number {
  const random = crypto.getRandomValues(new Uint32Array(1))[0]!;
  return 1 + random % (2 ** THREAD_BITS - 1);
}

/** This thread's number. */
let thread = newThread();
let roll: Int32Array<SharedArrayBuffer> | undefined;
/** Who wants to know of each end. */
let listener: (() => void) | undefined;
let watching = false;

/** This thread's number. */
export function thisThread(): number {
  return thread;
}

/** What a Worker is given by the thread that starts it. */
export interface Enrolment {
  readonly thread: number;
  readonly roll: SharedArrayBuffer;
}

/** Enrol a Worker. */
export function enrol(): Enrolment {
  if (roll === undefined) {
    roll = new Int32Array(new SharedArrayBuffer((1 + PLACES * PLACE_WORDS) * 4));
    watch();
  }
  return { thread: newThread(), roll: roll.buffer };
}

/** In a Worker, before anything else: it is enrolled. */
export function beEnrolled(enrolment: Enrolment): void {
  thread = enrolment.thread;
  roll = new Int32Array(enrolment.roll);
}

function placeOf(thread: number): number {
  return 1 + (thread % PLACES) * PLACE_WORDS;
}

/** A Worker has ended, whatever it still may have to say. */
export function strike(ended: number): void {
  const at = placeOf(ended);
  const written = Atomics.add(roll!, at, 1) >>> 0;
  Atomics.store(roll!, at + 1 + written % (PLACE_WORDS - 1), ended);
  Atomics.add(roll!, ENDED, 1);
  Atomics.notify(roll!, ENDED);
}

/** Whether a thread has ended. */
export function hasEnded(thread: number): boolean {
  if (roll === undefined || thread === 0) {
    return false;
  }
  const at = placeOf(thread);
  for (let i = 1; i < PLACE_WORDS; i++) {
    if (Atomics.load(roll, at + i) === thread) {
      return true;
    }
  }
  return false;
}

/** Call something whenever a thread has ended, until it is called off by `undefined`. */
export function onThreadEnd(call: (() => void) | undefined): void {
  listener = call;
  watch();
}

/** One wait for all of this thread, while somebody wants to know. */
async function watch(): Promise<void> {
  if (watching || roll === undefined) {
    return;
  }
  watching = true;
  let seen = Atomics.load(roll, ENDED);
  while (listener !== undefined) {
    const result = Atomics.waitAsync(roll, ENDED, seen);
    if (result.async) {
      await result.value;
    }
    seen = Atomics.load(roll, ENDED);
    listener?.();
  }
  watching = false;
}
