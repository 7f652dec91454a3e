// Copyright 2026 the ioq authors. MIT license.

/**
 * The slot queue, on memory that several JavaScript threads share
 * ===============================================================
 *
 * A fixed array of slots. A push claims the next index from `head`, a pop the next
 * one from `tail`, each with one unconditional `Atomics.add`; there is no loop that
 * a neighbour can make fail. What remains is a rendezvous of one pushing and one
 * popping thread at one slot:
 *
 *               tail           head
 *                |              |
 *                v              v
 *     +-------+-------+-------+-------+-------+
 *     | empty | item  | item  | empty | empty |
 *     +-------+-------+-------+-------+-------+
 *
 * A slot is one 32-bit word, whose low bits are tags:
 *
 *     empty        0
 *     item(v)      (v + 1) * 4
 *     skip(n)      SKIP + n * 4: n pops claimed this slot, found nothing and left;
 *                  the next n pushes must pass it by
 *     + BLOCKED    somebody waits until this slot changes
 *
 *              push                    push (passes by)
 *     ┌───────┐ ───────▶ ┌─────────┐      ┌──────────┐ ◀─── ┌────────────┐
 *     │ empty │          │ item(v) │      │ skip(n)  │      │ skip(n + 1)│
 *     └───────┘ ◀─────── └─────────┘      └──────────┘ ───▶ └────────────┘
 *      ▲   │       pop                         ▲  │  pop that does not wait
 *      │   └─── pop that does not wait ────────┘  │
 *      └────────────── push (passes by) ──────────┘ skip(1) → empty
 *
 *     push:   item  → item+BLOCKED, wait: its pop was claimed but is not done
 *     pop:    empty → empty+BLOCKED, wait; skip(n) likewise
 *
 * Whoever replaces a word that has BLOCKED wakes those who wait for it. They wait
 * on the word itself (`Atomics.wait`), which is the monitor: no other is needed.
 * Who was woken looks again, and marks the word again if it still has to wait.
 *
 * A pop that does not wait burns an index if it finds nothing, and whoever polls so
 * in a loop may outrun the pushes forever. A single consumer, such as the main
 * thread, uses {@linkcode Ioqq.try} instead: nobody else moves `tail`, so it looks
 * at the slot before it claims it. It waits by {@linkcode Ioqq.arm} and
 * `Atomics.waitAsync`, since the main thread may not block.
 *
 * @module
 */

/** Somebody waits until this slot changes. */
const BLOCKED = 1;
/** This slot holds a count of pushes that must pass it by. */
const SKIP = 2;
/** One such push. */
const SKIP_ONE = 4;

/** Words of the header: `head` and `tail` are on cache lines of their own. */
const HEAD = 0;
const TAIL = 16;
const HEADER_WORDS = 32;

/** The largest value of an item: what two tags leave of 31 bits. */
export const VALUE_MAX: number = 2 ** 29 - 2;

/** How often a slot is looked at again before waiting for it. */
const SPINS = 64;

/** The smallest power of two that is at least `n`. */
function bitCeil(n: number): number {
  return 2 ** Math.ceil(Math.log2(Math.max(n, 2)));
}

/** One pass fewer to be skipped: skip(1) → empty, skip(n) → skip(n - 1). */
function skipLess(word: number): number {
  const less = word - SKIP_ONE;
  return less < SKIP_ONE ? less & BLOCKED : less;
}

/** One more: empty → skip(1), skip(n) → skip(n + 1). */
function skipMore(word: number): number {
  return (word | SKIP) + SKIP_ONE;
}

/** Whether a word is an item. */
function isItem(word: number): boolean {
  return (word & SKIP) === 0 && (word & ~BLOCKED) !== 0;
}

/** A queue of integers from 0 to {@linkcode VALUE_MAX} for any number of threads. */
export class Ioqq {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #mask: number;

  /**
   * A queue in shared memory, which must be zero at first. Each thread makes one of
   * its own on the same words.
   *
   * @param buffer The memory.
   * @param at Where in it the queue begins, in bytes: a multiple of 64.
   * @param size How many items it must hold without a push having to wait.
   */
  constructor(buffer: SharedArrayBuffer, at: number, size: number) {
    this.#words = new Int32Array(buffer, at, Ioqq.byteLength(size) / 4);
    this.#mask = bitCeil(size) - 1;
  }

  /** How many bytes a queue takes: a multiple of 64. */
  static byteLength(size: number): number {
    return Math.ceil((HEADER_WORDS + bitCeil(size)) / 16) * 64;
  }

  /** The index of a slot's word. */
  #slot(i: number): number {
    return HEADER_WORDS + (i & this.#mask);
  }

  /**
   * Wait until a slot no longer holds a word, or for so many milliseconds; returns what
   * it holds then.
   */
  #wait(slot: number, word: number, ms = Infinity): number {
    const words = this.#words;
    // A partner that is on its way needs less time than a sleep
    for (let i = 0; i < SPINS; i++) {
      const next = Atomics.load(words, slot);
      if ((next & ~BLOCKED) !== (word & ~BLOCKED)) {
        return next;
      }
      word = next;
    }
    if ((word & BLOCKED) === 0) {
      // x → x+BLOCKED, so that whoever changes x knows that it must wake us
      const seen = Atomics.compareExchange(words, slot, word, word | BLOCKED);
      if (seen !== word) {
        return seen;
      }
      word |= BLOCKED;
    }
    Atomics.wait(words, slot, word, ms);
    return Atomics.load(words, slot);
  }

  /**
   * Add an item. Waits only while its slot is still being emptied, which never
   * happens while the queue holds no more than its size.
   */
  push(value: number): void {
    while (!this.#pushTo(this.#slot(Atomics.add(this.#words, HEAD, 1)), (value + 1) * 4)) {
      // Its slot was to be passed by: claim another
    }
  }

  /** Push to a claimed slot. Returns false if it had to be passed by. */
  #pushTo(slot: number, item: number): boolean {
    const words = this.#words;
    let word = Atomics.load(words, slot);
    while (true) {
      if (isItem(word)) {
        word = this.#wait(slot, word);
        continue;
      }
      const skip = (word & SKIP) !== 0;
      const seen = Atomics.compareExchange(words, slot, word, skip ? skipLess(word) : item);
      if (seen !== word) {
        word = seen;
        continue;
      }
      if (word & BLOCKED) {
        Atomics.notify(words, slot);
      }
      return !skip;
    }
  }

  /** Take an item out, and wait for one. Not for a thread that may not block. */
  pop(): number {
    return this.#popFrom(this.#slot(Atomics.add(this.#words, TAIL, 1)), true);
  }

  /**
   * Take an item out if there is one. If not, the claimed slot is marked to be
   * skipped, so do not poll with this: see {@linkcode Ioqq.try}.
   *
   * @returns The item, or -1.
   */
  popNow(): number {
    return this.#popFrom(this.#slot(Atomics.add(this.#words, TAIL, 1)), false);
  }

  /**
   * Claim the next item, for {@linkcode Ioqq.popClaimed}.
   *
   * @returns What stands for it. It must be popped: whatever comes next to this queue
   *          may be it.
   */
  claim(): number {
    return this.#slot(Atomics.add(this.#words, TAIL, 1));
  }

  /**
   * Take the item out that was claimed, and wait for it for so long.
   *
   * @returns The item, or -1 if it has not come yet: it stays claimed.
   */
  popClaimed(claimed: number, ms: number): number {
    const words = this.#words;
    const word = Atomics.load(words, claimed);
    if (!isItem(word) && !isItem(this.#wait(claimed, word, ms))) {
      return -1;
    }
    return this.#popFrom(claimed, true);
  }

  #popFrom(slot: number, block: boolean): number {
    const words = this.#words;
    let word = Atomics.load(words, slot);
    while (true) {
      const item = isItem(word);
      if (!item && block) {
        word = this.#wait(slot, word);
        continue;
      }
      const seen = Atomics.compareExchange(words, slot, word, item ? 0 : skipMore(word));
      if (seen !== word) {
        word = seen;
        continue;
      }
      if (word & BLOCKED) {
        // Also one that sleeps on skip(n): its word has changed under it
        Atomics.notify(words, slot);
      }
      return item ? (word >>> 2) - 1 : -1;
    }
  }

  /**
   * Take an item out if there is one, for a queue with a single consumer. It never
   * waits, and claims nothing that it cannot keep, so it may be called as often as
   * one likes. Not to be mixed with the other pops.
   *
   * @returns The item, or -1.
   */
  try(): number {
    const words = this.#words;
    const tail = Atomics.load(words, TAIL);
    const slot = this.#slot(tail);
    if (!isItem(Atomics.load(words, slot))) {
      return -1;
    }
    // Only a push that waits can still change the word, by adding BLOCKED
    const word = Atomics.exchange(words, slot, 0);
    Atomics.store(words, TAIL, tail + 1);
    if (word & BLOCKED) {
      Atomics.notify(words, slot);
    }
    return (word >>> 2) - 1;
  }

  /**
   * Have the next push that a single consumer waits for wake it.
   *
   * @returns false if there is an item already.
   */
  arm(): boolean {
    const words = this.#words;
    // empty → empty+BLOCKED; the push that fills the slot will see it
    return !isItem(
      Atomics.compareExchange(words, this.#slot(Atomics.load(words, TAIL)), 0, BLOCKED),
    );
  }

  /**
   * After {@linkcode Ioqq.arm}: wait for an item, or for {@linkcode Ioqq.wake}.
   *
   * It keeps no event loop alive.
   */
  async armed(): Promise<void> {
    const words = this.#words;
    await Atomics.waitAsync(words, this.#slot(Atomics.load(words, TAIL)), BLOCKED).value;
  }

  /** Have {@linkcode Ioqq.armed} resolve. */
  wake(): void {
    const words = this.#words;
    Atomics.notify(words, this.#slot(Atomics.load(words, TAIL)));
  }

  /** Roughly how many items there are: less than none while pops wait. */
  get count(): number {
    return (Atomics.load(this.#words, HEAD) - Atomics.load(this.#words, TAIL)) | 0;
  }
}
