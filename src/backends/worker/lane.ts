// Copyright 2026 the ioq authors. MIT license.

/**
 * What a lane of the worker backend does: takes requests, runs them one after the
 * other, and says so. It waits on the queue, not on its event loop, but goes round that
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
import { LibraryExecutor } from "./with_library.ts";

const EINTR = 4;
const ENOMEM = 12;

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
        await new Promise((resolve) => setTimeout(resolve, 0));
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
      this.#perform(slot);
      Atomics.store(words, this.#controls + shared.LANE_CURRENT, 0);
    }
  }

  #send(kind: number, slot: number): void {
    this.#memory.ready.push(shared.message(kind, slot, this.#lane));
  }

  /** Run one request and say so. */
  #perform(slot: number): void {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const op = words[cell + layout.REQUEST_OP_AND_HINTS]! & 0xffff;
    const isClose = op === layout.OP.close || op === layout.OP.closeDir;
    let result = -EINTR;
    words[cell + shared.CELL_LENGTH] = 0;
    if (isClose || Atomics.load(words, cell + shared.CELL_CANCELLED) === 0) {
      const length = words[cell + shared.CELL_INPUT]!;
      const data = at + shared.CELL_DATA;
      if (length <= shared.DATA_SIZE) {
        result = this.#executor.perform(words, cell, bytes, data, length);
      } else {
        const input = this.#fetch(slot, length);
        result = input === undefined
          ? -ENOMEM
          : this.#executor.perform(words, cell, input, 0, length);
      }
      if (result >= 0 && this.#executor.length > 0) {
        result = this.#output(slot, result);
      }
    }
    words[cell + shared.CELL_RESULT] = result;
    this.#send(shared.DONE, slot);
  }

  /** Get an input that is longer than a cell, part by part. */
  #fetch(slot: number, length: number): Uint8Array | undefined {
    const { words, bytes } = this.#memory;
    const cell = this.#memory.cell(slot) >> 2;
    const input = allocate(length);
    for (let done = 0; input !== undefined && done < length;) {
      this.#send(shared.NEED, slot);
      const index = this.#controls + shared.LANE_GRANTED;
      while (Atomics.load(words, index) === this.#granted) {
        Atomics.wait(words, index, this.#granted);
      }
      this.#granted = (this.#granted + 1) | 0;
      const part = words[cell + shared.CELL_PART]!;
      input.set(bytes.subarray(this.#window, this.#window + part), done);
      done += part;
    }
    return input;
  }

  /** Hand a payload over, but for the message that the request is complete. */
  #output(slot: number, result: number): number {
    const { words, bytes } = this.#memory;
    const at = this.#memory.cell(slot);
    const cell = at >> 2;
    const length = this.#executor.length;
    if (length <= shared.DATA_SIZE) {
      this.#executor.takeWords(words, (at + shared.CELL_DATA) >> 2);
      words[cell + shared.CELL_AT] = -1;
    } else if (length <= shared.PART_SIZE) {
      const start = this.#reserve(length);
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
        const start = this.#reserve(part);
        bytes.set(whole.subarray(done, done + part), start);
        this.#describe(cell, start, part);
        done += part;
        if (done < length) {
          this.#send(shared.PART, slot);
          // The cell tells of one part at a time
          this.#awaitReleased(0);
        }
      }
    }
    words[cell + shared.CELL_LENGTH] = length;
    return result;
  }

  #describe(cell: number, start: number, part: number): void {
    const { words } = this.#memory;
    words[cell + shared.CELL_AT] = start - this.#window;
    words[cell + shared.CELL_PART] = part;
    words[cell + shared.CELL_RELEASE] = this.#produced;
  }

  /** Wait until no more than so many bytes of the window are in use. */
  #awaitReleased(used: number): void {
    const { words } = this.#memory;
    const index = this.#controls + shared.LANE_RELEASED;
    for (
      let released = Atomics.load(words, index);
      ((this.#produced - released) | 0) > used;
      released = Atomics.load(words, index)
    ) {
      Atomics.wait(words, index, released);
    }
  }

  /** Reserve a part of the window that is in one piece; returns where it begins. */
  #reserve(length: number): number {
    const space = (length + 7) & ~7;
    const at = this.#produced & (shared.WINDOW_SIZE - 1);
    if (at + space > shared.WINDOW_SIZE) {
      // What is left at the end is given back with this part
      this.#produced = (this.#produced + shared.WINDOW_SIZE - at) | 0;
    }
    this.#awaitReleased(shared.WINDOW_SIZE - space);
    const start = this.#window + (this.#produced & (shared.WINDOW_SIZE - 1));
    this.#produced = (this.#produced + space) | 0;
    return start;
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
async function openExecutor({ library }: shared.LaneStart): Promise<Executor> {
  if (library === undefined) {
    return new DenoExecutor();
  }
  const path = library === EMBEDDED ? undefined : library;
  await prepareLibrary(path);
  return new LibraryExecutor(loadLibrary(path), true);
}

const start = workerData as shared.LaneStart;
const executor = await openExecutor(start);
try {
  let memory: shared.LaneMemory = start;
  while (await new Lane(start, memory, executor).run()) {
    memory = receiveMessageOnPort(start.port)!.message;
  }
} finally {
  executor.close();
  start.port.close();
}
// With its module the Worker ends. To have it exit, process.exit(), leaves two
// descriptors of the runtime's behind (2.9.6): those of its event loop
