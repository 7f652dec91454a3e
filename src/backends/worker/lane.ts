// Copyright 2026 the ioq authors. MIT license.

/**
 * What a lane of the worker backend does: takes requests, runs them one after the
 * other, and says so. It waits in place, not on its event loop, but goes round that
 * now and then: a Worker whose parent was terminated ends there and nowhere else.
 *
 * @module
 */

import { receiveMessageOnPort, workerData } from "node:worker_threads";
import * as layout from "../../../ffi/layout.ts";
import { EMBEDDED, loadLibrary, prepareLibrary } from "../../../ffi/library.ts";
import type { Executor } from "./executor.ts";
import type { Ioqq } from "./slot_queue.ts";
import * as shared from "./memory.ts";
import { DenoExecutor } from "./without_library.ts";
import { LaneError, LibraryExecutor } from "./with_library.ts";

const EINTR = 4;
const ENOMEM = 12;
const EOWNERDEAD = 130;

/** How long to wait for a request before going round the event loop, in milliseconds. */
const IDLE_MS = 1000;

/** One Worker: takes requests, runs them one after the other, and reports each. */
class Lane {
  readonly #memory: shared.SharedMemory;
  readonly #lane: number;
  readonly #executor: Executor;
  /** The first word of its controls. */
  readonly #controls: number;
  /** Where its window begins, in bytes. */
  readonly #window: number;
  /** Bytes of the window that were written; wraps around. */
  #produced = 0;
  #granted = 0;

  /** Where its requests come from. */
  readonly #queue: Ioqq;

  constructor(start: shared.LaneStart, { buffer, depth }: shared.LaneMemory, executor: Executor) {
    const { lanes, lane, library } = start;
    this.#memory = new shared.SharedMemory(depth, lanes, buffer);
    const isOwner = library === undefined && lane === shared.DESCRIPTOR_LANE;
    this.#queue = isOwner ? this.#memory.descriptors : this.#memory.pending;
    this.#lane = lane;
    this.#controls = this.#memory.controls(lane);
    this.#window = this.#memory.window(lane);
    // One that was replaced may have left something
    this.#produced = Atomics.load(this.#memory.words, this.#controls + shared.LANE_RELEASED);
    this.#granted = Atomics.load(this.#memory.words, this.#controls + shared.LANE_GRANTED);
    this.#executor = executor;
    Atomics.store(this.#memory.words, this.#controls + shared.LANE_CALLER, executor.caller);
  }

  /** Run requests until there is the message to stop. Returns whether it is to move. */
  async run(): Promise<boolean> {
    const { words } = this.#memory;
    const queue = this.#queue;
    const stop = this.#memory.stop;
    this.#send(shared.STARTED, 0);
    while (true) {
      const claimed = queue.claim();
      let slot = queue.popClaimed(claimed, IDLE_MS);
      while (slot < 0) {
        await goRound();
        slot = queue.popClaimed(claimed, IDLE_MS);
      }
      if (slot >= stop) {
        // The next lane is to do so as well
        queue.push(slot);
        return slot !== stop;
      }
      words[(this.#memory.cell(slot) >> 2) + shared.CELL_LANE] = this.#lane + 1;
      words[this.#controls + shared.LANE_TURN] = this.#executor.turn + 1;
      Atomics.store(words, this.#controls + shared.LANE_CURRENT, slot + 1);
      const rest = this.#perform(slot);
      if (rest !== undefined) {
        await rest;
      }
      Atomics.store(words, this.#controls + shared.LANE_CURRENT, 0);
    }
  }

  #send(kind: number, slot: number): void {
    this.#memory.ready.push(shared.message(kind, slot, this.#lane));
  }

  /** Run one request and say so. */
  #perform(slot: number): Promise<void> | undefined {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const op = words[cell + layout.REQUEST_OP_AND_HINTS]! & 0xffff;
    const isClose = op === layout.OP.close || op === layout.OP.closeDir;
    words[cell + shared.CELL_LENGTH] = 0;
    if (!isClose && Atomics.load(words, cell + shared.CELL_CANCELLED) !== 0) {
      return this.#done(slot, -EINTR);
    }
    const length = words[cell + shared.CELL_INPUT]!;
    if (length > shared.DATA_SIZE) {
      return this.#performLong(slot, length);
    }
    return this.#tell(
      slot,
      this.#executor.perform(words, cell, bytes, at + shared.CELL_DATA, length),
    );
  }

  /** The same with an input that is longer than a cell. */
  async #performLong(slot: number, length: number): Promise<void> {
    const input = await this.#fetch(slot, length);
    const cell = this.#memory.cell(slot) >> 2;
    const result = input === undefined
      ? -ENOMEM
      : this.#executor.perform(this.#memory.words, cell, input, 0, length);
    await this.#tell(slot, result);
  }

  /** Hand over what a request came to. */
  #tell(slot: number, result: number): Promise<void> | undefined {
    const { length } = this.#executor;
    if (result < 0 || length === 0) {
      return this.#done(slot, result);
    }
    if (length > shared.DATA_SIZE) {
      return this.#output(slot, length).then((ret) => this.#done(slot, ret < 0 ? ret : result));
    }
    const at = this.#memory.cell(slot);
    const { words } = this.#memory;
    this.#executor.takeWords(words, (at + shared.CELL_DATA) >> 2);
    words[(at >> 2) + shared.CELL_AT] = -1;
    words[(at >> 2) + shared.CELL_LENGTH] = length;
    return this.#done(slot, result);
  }

  /** A request is complete. */
  #done(slot: number, result: number): undefined {
    this.#memory.words[(this.#memory.cell(slot) >> 2) + shared.CELL_RESULT] = result;
    this.#send(shared.DONE, slot);
  }

  /** Get an input that is longer than a cell, part by part. */
  async #fetch(slot: number, length: number): Promise<Uint8Array | undefined> {
    const { words, bytes } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    const input = allocate(length);
    for (let done = 0; input !== undefined && done < length;) {
      this.#send(shared.NEED, slot);
      const index = this.#controls + shared.LANE_GRANTED;
      while (Atomics.load(words, index) === this.#granted) {
        await changed(words, index, this.#granted);
      }
      this.#granted = (this.#granted + 1) | 0;
      const part = words[cell + shared.CELL_PART]!;
      input.set(bytes.subarray(this.#window, this.#window + part), done);
      done += part;
    }
    return input;
  }

  /**
   * Hand over a payload that is longer than a cell, but for the message that the request
   * is complete. Resolves to 0, or a negative error number.
   */
  async #output(slot: number, length: number): Promise<number> {
    const { words, bytes } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    if (length <= shared.PART_SIZE) {
      const start = await this.#reserve(length);
      this.#executor.take(bytes.subarray(start, start + length));
      this.#describe(cell, start, length);
    } else {
      const whole = allocate(length);
      if (whole === undefined) {
        return -ENOMEM;
      }
      this.#executor.take(whole);
      words[cell + shared.CELL_LENGTH] = length;
      for (let done = 0; done < length;) {
        const part = Math.min(shared.PART_SIZE, length - done);
        const start = await this.#reserve(part);
        bytes.set(whole.subarray(done, done + part), start);
        this.#describe(cell, start, part);
        done += part;
        if (done < length) {
          this.#send(shared.PART, slot);
          // The cell tells of one part at a time
          await this.#awaitReleased(0);
        }
      }
    }
    words[cell + shared.CELL_LENGTH] = length;
    return 0;
  }

  #describe(cell: number, start: number, part: number): void {
    const { words } = this.#memory;
    words[cell + shared.CELL_AT] = start - this.#window;
    words[cell + shared.CELL_PART] = part;
    words[cell + shared.CELL_RELEASE] = this.#produced;
  }

  /** Wait until no more than so many bytes of the window are in use. */
  async #awaitReleased(used: number): Promise<void> {
    const { words } = this.#memory;
    const index = this.#controls + shared.LANE_RELEASED;
    for (
      let released = Atomics.load(words, index);
      ((this.#produced - released) | 0) > used;
      released = Atomics.load(words, index)
    ) {
      await changed(words, index, released);
    }
  }

  /** Reserve a part of the window that is in one piece; returns where it begins. */
  async #reserve(length: number): Promise<number> {
    const space = (length + 7) & ~7;
    const at = this.#produced & (shared.WINDOW_SIZE - 1);
    if (at + space > shared.WINDOW_SIZE) {
      // What is left at the end is given back with this part
      this.#produced = (this.#produced + shared.WINDOW_SIZE - at) | 0;
    }
    await this.#awaitReleased(shared.WINDOW_SIZE - space);
    const start = this.#window + (this.#produced & (shared.WINDOW_SIZE - 1));
    this.#produced = (this.#produced + space) | 0;
    return start;
  }
}

/** Go round the event loop. */
function goRound(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 0));
}

/** Wait until a word is another one. */
async function changed(words: Int32Array<SharedArrayBuffer>, index: number, from: number) {
  while (Atomics.wait(words, index, from, IDLE_MS) === "timed-out") {
    await goRound();
  }
}

/** Memory, or none if there is not enough. */
function allocate(length: number): Uint8Array | undefined {
  try {
    return new Uint8Array(length);
  } catch {
    return undefined;
  }
}

/** Load the library, as the main thread has. */
async function openExecutor({ library, owner }: shared.LaneStart): Promise<Executor> {
  if (library === undefined) {
    return new DenoExecutor();
  }
  const path = library === EMBEDDED ? undefined : library;
  await prepareLibrary(path);
  return new LibraryExecutor(loadLibrary(path), true, owner);
}

const start = workerData as shared.LaneStart;
try {
  const executor = await openExecutor(start);
  try {
    let memory: shared.LaneMemory = start;
    while (await new Lane(start, memory, executor).run()) {
      memory = receiveMessageOnPort(start.port)!.message;
    }
  } finally {
    executor.close();
  }
} catch (error) {
  // Its queue may have been closed meanwhile
  if (!(error instanceof LaneError && error.errno === EOWNERDEAD)) {
    throw error;
  }
} finally {
  start.port.close();
}
// With its module the Worker ends. To have it exit, process.exit(), leaves two
// descriptors of the runtime's behind (2.9.6): those of its event loop
