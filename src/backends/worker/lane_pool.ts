// Copyright 2026 the ioq authors. MIT license.

/**
 * Starting Workers, and seeing to it that they end. They do not keep the process
 * alive.
 *
 * @module
 */

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { areLeft } from "../../late.ts";
import { ownOptions } from "../../own_option.ts";
import type { LaneMemory, LaneStart, SharedMemory } from "./memory.ts";

/** Descriptors that must be left to start a lane: six, those of its modules, and some for others. */
const LANE_DESCRIPTORS = 16;

/** How long lanes may take to end, in milliseconds, before they are ended. */
const END_MS = 2000;

/** A lane that was started. */
interface Lane {
  readonly worker: Worker;
  readonly port: MessagePort;
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;
  started: boolean;
  gone: boolean;
}

/** What is told of lanes. */
export interface LaneEvents {
  /**
   * A lane has ended, and nobody wanted it to. `hasStarted` tells whether it ever had, once all
   * that it has said was heard.
   */
  lost(at: number, hasStarted: () => boolean, error: unknown): void;
  /** A lane cannot be started. */
  failed(error: unknown): void;
}

/** Starts the Workers of a backend, and ends them. */
export class LanePool {
  readonly #lanes: (Lane | undefined)[];
  /** Those whose Worker has not ended, be they given up or not. */
  readonly #alive = new Set<Lane>();
  readonly #module: URL;
  readonly #library: string | undefined;
  readonly #owner: () => number;
  readonly #events: LaneEvents;
  #ending = false;

  /**
   * @param threads The most lanes.
   * @param module The module that they run.
   * @param library The path of the native library, if there is one.
   * @param owner Tells whose descriptors they open.
   * @param events Is told of them.
   */
  constructor(
    threads: number,
    module: URL,
    library: string | undefined,
    owner: () => number,
    events: LaneEvents,
  ) {
    this.#lanes = new Array(threads).fill(undefined);
    this.#module = module;
    this.#library = library;
    this.#owner = owner;
    this.#events = events;
  }

  /** The most lanes. */
  get size(): number {
    return this.#lanes.length;
  }

  /** Whether there is that lane. */
  has(at: number): boolean {
    const lane = this.#lanes[at];
    return lane !== undefined && !lane.gone;
  }

  /** Whether there is that lane and it is about to start. */
  isStarting(at: number): boolean {
    return this.has(at) && !this.#lanes[at]!.started;
  }

  /** How many there are, from one on. */
  countFrom(first: number): number {
    let count = 0;
    for (let at = first; at < this.#lanes.length; at++) {
      count += Number(this.has(at));
    }
    return count;
  }

  /** How many are about to start. */
  get starting(): number {
    return this.#lanes.filter((lane) => lane !== undefined && !lane.gone && !lane.started).length;
  }

  /** Whether there are descriptors for another one, without which the process would end. */
  get canStart(): boolean {
    return areLeft(LANE_DESCRIPTORS * (1 + this.starting));
  }

  /** A lane has said that it has started. */
  noteStarted(at: number): void {
    const lane = this.#lanes[at];
    if (lane !== undefined) {
      lane.started = true;
    }
  }

  /** Start a lane if there is a place and there are descriptors for one, from one on. */
  startFrom(first: number, memory: SharedMemory): void {
    for (let at = first; at < this.#lanes.length; at++) {
      if (!this.has(at)) {
        if (this.canStart) {
          this.start(at, memory);
        }
        return;
      }
    }
  }

  /** Start a certain lane, for which there are descriptors. */
  start(at: number, { buffer, depth }: SharedMemory): void {
    const { port1, port2 } = new MessageChannel();
    const start: LaneStart = {
      buffer,
      depth,
      lanes: this.#lanes.length,
      lane: at,
      library: this.#library,
      owner: this.#owner(),
      port: port2,
    };
    const module = this.#module;
    // Only files and data are taken for the module itself
    const entry = module.protocol === "file:"
      ? module
      : new URL(`data:text/javascript,import ${JSON.stringify(module.href)}`);
    let worker: Worker;
    try {
      worker = new Worker(entry, ownOptions({ workerData: start, transferList: [port2] }));
    } catch (error) {
      port1.close();
      port2.close();
      this.#events.failed(error);
      return;
    }
    worker.unref();
    let failure: unknown;
    const ended = new Promise<void>((resolve) => {
      worker.once("error", (error: unknown) => failure = error);
      worker.once("exit", () => {
        this.#alive.delete(lane);
        this.#lose(at, lane, failure);
        resolve();
      });
    });
    const lane: Lane = { worker, port: port1, ended, started: false, gone: false };
    this.#lanes[at] = lane;
    this.#alive.add(lane);
  }

  #lose(at: number, lane: Lane, error: unknown): void {
    if (!lane.gone) {
      lane.gone = true;
      lane.port.close();
      if (!this.#ending) {
        this.#events.lost(at, () => lane.started, error);
      }
    }
  }

  /** End a lane, whatever it is at. Its thread may stay in the kernel for as long as that takes. */
  abandon(at: number): void {
    const lane = this.#lanes[at]!;
    lane.worker.terminate();
    this.#lose(at, lane, undefined);
  }

  /** Tell all lanes where to go on; they look when the memory that they have says so. */
  move({ buffer, depth }: SharedMemory): void {
    const memory: LaneMemory = { buffer, depth };
    for (const lane of this.#lanes) {
      if (lane !== undefined && !lane.gone) {
        lane.started = false;
        lane.port.postMessage(memory);
      }
    }
  }

  /** Wait for the lanes, which were told to end, and end those that do not. */
  async end(): Promise<void> {
    this.#ending = true;
    const lanes = [...this.#alive];
    let timer;
    const late = new Promise<void>((resolve) => timer = setTimeout(resolve, END_MS));
    // Keeps the process alive until they have ended, so that nothing is left behind
    await Promise.race([Promise.all(lanes.map(({ ended }) => ended)), late]);
    clearTimeout(timer);
    await Promise.all(lanes.filter(({ gone }) => !gone).map(({ worker }) => worker.terminate()));
  }
}
