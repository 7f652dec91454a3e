// Copyright 2026 the ioq authors. MIT license.

/**
 * A line of tasks in any threads: first in, first out
 * ===================================================
 *
 * Who waits stands in a line of its own thread, with a number that is drawn from shared
 * memory. There each thread has one slot, in which it says how many of it wait, and which
 * number the first of them has:
 *
 *     shared memory   state │ next: 7 │ slots  A: 2 wait, first 3   B: 3 wait, first 4
 *                                               │                    │
 *     threads                            A: 3 ─ 6              B: 4 ─ 5 ─ 7
 *
 * What is waited for (a lock, permits) is never handed over: it stays in the state, where
 * only the task with the lowest number of all may take it.
 *
 *     release: state free ──▶ wake the thread of the lowest number
 *                                 └─▶ its first task: the lowest? takes it, by one
 *                                     compare-and-exchange, and is let go
 *
 * So nothing is ever on its way to a task that is cancelled meanwhile, or to a thread that
 * ends: whoever leaves was only one who waits. To leave costs nothing but its place, since
 * each slot is written by its own thread alone; what a thread left that has ended
 * (`threads.ts`) is not counted. Any number of tasks may wait, in up to 256 threads.
 *
 * Nobody is woken too few times: who joins is seen in its slot first and looks at the state
 * then, who releases changes the state first and looks at the slots then.
 *
 * @module
 */

import type { Task, Wait } from "./task.ts";
import { hasEnded, onThreadEnd, thisThread } from "./threads.ts";

/** What kind of thing it is: memory of one is not taken for another. */
const KIND = 0;
/** Which memory it is, by two random words: objects on it differ. */
const NAME = 1;
/** What is waited for: the kind's own. */
export const STATE = 3;
/** Numbers before this one go through, if the kind has such. */
const BOUND = 4;
/** The next number. */
const NEXT = 5;
/** Slots that were ever in use. */
const USED = 6;
const HEADER_WORDS = 7;

/** How many threads may wait at a time. */
const SLOTS = 256;
/** In a slot: whose it is, 0 if nobody's. */
const THREAD = 0;
/** How many of the thread wait. */
const COUNT = 1;
/** The number of the first of them. */
const FIRST = 2;
/** Changes when the thread is to look. */
const WAKE = 3;
const SLOT_WORDS = 4;

const LENGTH_BYTES = (HEADER_WORDS + SLOTS * SLOT_WORDS) * 4;
/** How far behind the bound may fall: numbers wrap around. */
const BOUND_BEHIND_MAX = 2 ** 30;

/** Words of shared memory. */
export type Words = Int32Array<SharedArrayBuffer>;

/**
 * The memory of something that is shared: new, or checked.
 *
 * @param kind What it is, a number.
 * @throws {TypeError} If it is no shared memory.
 * @throws {RangeError} If it is of something else.
 */
export function sharedWords(buffer: unknown, kind: number): Words {
  if (buffer === undefined) {
    const words = new Int32Array(new SharedArrayBuffer(LENGTH_BYTES));
    words[KIND] = kind;
    words.set(crypto.getRandomValues(new Int32Array(2)), NAME);
    return words;
  }
  if (!(buffer instanceof SharedArrayBuffer)) {
    throw new TypeError(`Expected buffer to be a SharedArrayBuffer, got ${typeof buffer}`);
  }
  if (buffer.byteLength !== LENGTH_BYTES || new Int32Array(buffer, 0, 1)[KIND] !== kind) {
    throw new RangeError(
      `Expected buffer to be that of the same class, got one of ${buffer.byteLength} bytes`,
    );
  }
  return new Int32Array(buffer);
}

/** Who may go through. */
export interface Gate {
  /** Whether anyone may. */
  isOpen(): boolean;
  /** Have one go through, the first if there is an order; tells whether it does. */
  take(): boolean;
  /** Whether only the first one may go through. */
  readonly inOrder: boolean;
}

/** A place in this thread's part of a line. */
class Place implements Wait {
  readonly promise: Promise<void>;
  readonly number: number;
  readonly #task: Task | undefined;
  #line: Line | undefined;
  #resolve!: () => void;
  #reject!: (reason: unknown) => void;
  before: Place | undefined;
  after: Place | undefined;

  constructor(line: Line, number: number, task: Task | undefined) {
    this.#line = line;
    this.number = number;
    this.#task = task;
    this.promise = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  /** Its turn has come. */
  go(): void {
    this.#line = undefined;
    this.#task?.leave(this);
    this.#resolve();
  }

  /** Go without; tells whether it was in the line still. */
  leave(): boolean {
    const line = this.#line;
    if (line === undefined) {
      return false;
    }
    this.#line = undefined;
    this.#task?.leave(this);
    line.remove(this);
    return true;
  }

  interrupt(): void {
    // It may have been let go already, and does not know yet
    this.#line?.look();
    if (this.leave()) {
      this.#reject(this.#task!.deliver());
    }
  }
}

/** This thread's parts of lines in which somebody waits, by the names of their memory. */
const lines = new Map<string, Line>();
/** The longest that a timer may be set for. */
const FOREVER_MS = 2 ** 31 - 1;
/** `Atomics.waitAsync()` by itself keeps no process alive, and its waker may be another thread. */
let alive: ReturnType<typeof setInterval> | undefined;

function lookAtAll(): void {
  for (const line of [...lines.values()]) {
    line.look();
  }
}

/** This thread's part of a line, while somebody is in it. */
class Line {
  readonly #name: string;
  readonly #words: Words;
  readonly #gate: Gate;
  /** Where its slot begins. */
  readonly #slot: number;
  #head: Place | undefined;
  #tail: Place | undefined;
  #count = 0;

  /**
   * Begin one.
   *
   * @throws {RangeError} If too many threads wait already.
   */
  constructor(name: string, words: Words, gate: Gate) {
    this.#name = name;
    this.#words = words;
    this.#gate = gate;
    this.#slot = claimSlot(words);
    lines.set(name, this);
    if (lines.size === 1) {
      alive = setInterval(() => {}, FOREVER_MS);
      onThreadEnd(lookAtAll);
    }
    this.#watch();
  }

  /** Take the last place. */
  join(task: Task | undefined): Place {
    const place = new Place(this, Atomics.add(this.#words, NEXT, 1), task);
    place.before = this.#tail;
    if (this.#tail === undefined) {
      this.#head = place;
    } else {
      this.#tail.after = place;
    }
    this.#tail = place;
    this.#count++;
    this.#publish();
    return place;
  }

  /** Take somebody out. */
  remove(place: Place): void {
    const { before, after } = place;
    if (before === undefined) {
      this.#head = after;
    } else {
      before.after = after;
    }
    if (after === undefined) {
      this.#tail = before;
    } else {
      after.before = before;
    }
    this.#count--;
    this.#publish();
    if (before === undefined) {
      // Somebody else is the first now
      wakeFirst(this.#words, this.#gate);
    }
    if (this.#count === 0) {
      this.#end();
    }
  }

  /** Let those go whose turn it is, and wake the thread whose turn is next. */
  look(): void {
    const words = this.#words;
    for (let first = this.#head; first !== undefined; first = this.#head) {
      const { number } = first;
      const isBefore = ((Atomics.load(words, BOUND) - number) | 0) > 0;
      const mayTake = isBefore || !this.#gate.inOrder || isLowest(words, number);
      if (!mayTake || !(isBefore || this.#gate.take())) {
        break;
      }
      this.#head = first.after;
      if (this.#head === undefined) {
        this.#tail = undefined;
      } else {
        this.#head.before = undefined;
      }
      this.#count--;
      this.#publish();
      first.go();
    }
    wakeFirst(words, this.#gate);
    if (this.#count === 0) {
      this.#end();
    }
  }

  /** Say in its slot who waits. */
  #publish(): void {
    if (this.#head !== undefined) {
      Atomics.store(this.#words, this.#slot + FIRST, this.#head.number);
    }
    Atomics.store(this.#words, this.#slot + COUNT, this.#count);
  }

  /** Look whenever it is woken, as long as somebody waits. */
  async #watch(): Promise<void> {
    const at = this.#slot + WAKE;
    while (lines.get(this.#name) === this) {
      const seen = Atomics.load(this.#words, at);
      if (this.#count > 0) {
        this.look();
      }
      const result = Atomics.waitAsync(this.#words, at, seen);
      if (result.async) {
        await result.value;
      }
    }
  }

  /** Nobody is left: the slot is free for others. */
  #end(): void {
    if (lines.get(this.#name) !== this) {
      return;
    }
    lines.delete(this.#name);
    Atomics.store(this.#words, this.#slot + THREAD, 0);
    Atomics.add(this.#words, this.#slot + WAKE, 1);
    Atomics.notify(this.#words, this.#slot + WAKE);
    if (lines.size === 0) {
      clearInterval(alive);
      onThreadEnd(undefined);
    }
  }
}

/** Where a slot for this thread begins. */
function claimSlot(words: Words): number {
  for (let i = 0; i < SLOTS; i++) {
    const slot = HEADER_WORDS + i * SLOT_WORDS;
    const holder = Atomics.load(words, slot + THREAD);
    if (holder !== 0 && !hasEnded(holder)) {
      continue;
    }
    if (Atomics.compareExchange(words, slot + THREAD, holder, thisThread()) !== holder) {
      continue;
    }
    Atomics.store(words, slot + COUNT, 0);
    for (let used = Atomics.load(words, USED); used <= i; used = Atomics.load(words, USED)) {
      Atomics.compareExchange(words, USED, used, i + 1);
    }
    return slot;
  }
  throw new RangeError(`Cannot wait in a line in which ${SLOTS} threads wait`);
}

/** Whether somebody waits in a slot. */
function isWaiting(words: Words, slot: number): boolean {
  if (Atomics.load(words, slot + COUNT) <= 0) {
    return false;
  }
  const thread = Atomics.load(words, slot + THREAD);
  return thread !== 0 && !hasEnded(thread);
}

/** Whether nobody has a lower number. */
function isLowest(words: Words, number: number): boolean {
  const end = HEADER_WORDS + Atomics.load(words, USED) * SLOT_WORDS;
  for (let slot = HEADER_WORDS; slot < end; slot += SLOT_WORDS) {
    if (((Atomics.load(words, slot + FIRST) - number) | 0) < 0 && isWaiting(words, slot)) {
      return false;
    }
  }
  return true;
}

/** If somebody may go through, wake the thread of whoever has the lowest number. */
function wakeFirst(words: Words, gate: Gate): void {
  if (!gate.isOpen()) {
    return;
  }
  const end = HEADER_WORDS + Atomics.load(words, USED) * SLOT_WORDS;
  let [first, lowest] = [-1, 0];
  for (let slot = HEADER_WORDS; slot < end; slot += SLOT_WORDS) {
    if (isWaiting(words, slot)) {
      const number = Atomics.load(words, slot + FIRST);
      if (first < 0 || ((number - lowest) | 0) < 0) {
        [first, lowest] = [slot, number];
      }
    }
  }
  if (first >= 0) {
    wake(words, first);
  }
}

function wake(words: Words, slot: number): void {
  Atomics.add(words, slot + WAKE, 1);
  Atomics.notify(words, slot + WAKE);
}

/** The whole of a line, as the things that are waited for use it. */
export class SharedLine {
  readonly #words: Words;
  readonly #gate: Gate;
  readonly #name: string;

  constructor(words: Words, gate: Gate) {
    this.#words = words;
    this.#gate = gate;
    this.#name = `${words[KIND]} ${words[NAME]} ${words[NAME + 1]}`;
  }

  /** How many wait, in all threads. */
  get size(): number {
    const words = this.#words;
    const end = HEADER_WORDS + Atomics.load(words, USED) * SLOT_WORDS;
    let size = 0;
    for (let slot = HEADER_WORDS; slot < end; slot += SLOT_WORDS) {
      size += isWaiting(words, slot) ? Atomics.load(words, slot + COUNT) : 0;
    }
    return size;
  }

  /**
   * Wait for a turn. That is no cancellation point at its beginning: who is to stop
   * already is in line for a moment.
   *
   * @param task Who waits. Nobody can cancel it if not given.
   * @returns Its place: the promise of its turn, and how to leave without.
   * @throws {RangeError} If too many threads wait.
   */
  join(task: Task | undefined): { promise: Promise<void>; leave(): boolean } {
    const words = this.#words;
    const line = lines.get(this.#name) ?? new Line(this.#name, words, this.#gate);
    const bound = Atomics.load(words, BOUND);
    if (((Atomics.load(words, NEXT) - bound) | 0) > BOUND_BEHIND_MAX) {
      Atomics.compareExchange(words, BOUND, bound, (bound + BOUND_BEHIND_MAX / 2) | 0);
    }
    const place = line.join(task);
    task?.enterLate(place);
    // Whoever released before it was seen did not wake it
    line.look();
    return place;
  }

  /** What is waited for has changed: wake whose turn it is. */
  look(): void {
    const line = lines.get(this.#name);
    if (line === undefined) {
      wakeFirst(this.#words, this.#gate);
    } else {
      line.look();
    }
  }

  /** Let all go that wait now. */
  letAll(): void {
    const words = this.#words;
    for (;;) {
      const bound = Atomics.load(words, BOUND);
      const next = Atomics.load(words, NEXT);
      if (
        ((next - bound) | 0) <= 0 || Atomics.compareExchange(words, BOUND, bound, next) === bound
      ) {
        break;
      }
    }
    const end = HEADER_WORDS + Atomics.load(words, USED) * SLOT_WORDS;
    for (let slot = HEADER_WORDS; slot < end; slot += SLOT_WORDS) {
      if (Atomics.load(words, slot + COUNT) > 0) {
        wake(words, slot);
      }
    }
    lines.get(this.#name)?.look();
  }
}
