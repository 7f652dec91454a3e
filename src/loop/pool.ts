// Copyright 2026 the ioq authors. MIT license.

/**
 * Workers that run what is not to run on this thread
 * ==================================================
 *
 *     run() ──▶ an idle Worker ◀── none? a new one, up to `workers`
 *       │
 *       ▼ all busy
 *     line ──▶ whichever Worker is idle first
 *          ──▶ or, if tasks share, whichever answers an offer first
 *
 * Workers start when there is something to do, and stop when there was nothing for a
 * while. Tasks, which mostly wait, share a Worker when all are busy, so that each of
 * them makes progress; functions that compute have one of their own or wait in line.
 * Nobody can tell from here which Worker is waiting and which is computing, and what
 * was sent to the latter would be stuck: so all are offered what is in line, one that
 * waits answers at once, and is given a task.
 *
 * Arguments are cloned when `run()` is called, wherever they go later: what cannot be
 * cloned throws there, and changing them afterwards changes nothing.
 *
 * @module
 */

import type { IoqOptions } from "../queue/queue_options.ts";
import { Canceled } from "./canceled.ts";
import type { Cancelable } from "./future.ts";
import { decodeError, type FromWorker, type ToWorker } from "./pool_message.ts";

/** How long a Worker may take to close its queue before it is ended anyhow. */
const STOP_MS = 5000;

/** Of how many answers each Worker gets its part of a line. */
const SHARES = 16;

/** A task in a Worker, or on its way there. */
export class WorkerTask implements Cancelable {
  readonly id: number;
  readonly promise: Promise<unknown>;
  resolve!: (value: unknown) => void;
  reject!: (reason: unknown) => void;
  ended = false;
  onEnd: Set<() => void> | undefined;
  /** Where it runs; not set while it is in line. */
  worker: PoolWorker | undefined;
  #requested = false;
  readonly #pool: WorkerPool;

  constructor(id: number, pool: WorkerPool) {
    this.id = id;
    this.#pool = pool;
    this.promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }

  request(): void {
    if (!this.ended && !this.#requested) {
      this.#requested = true;
      this.#pool.cancel(this);
    }
  }

  end(): void {
    this.ended = true;
    const callbacks = this.onEnd;
    this.onEnd = undefined;
    callbacks?.forEach((callback) => callback());
  }
}

/** A Worker of the pool. */
interface PoolWorker {
  readonly worker: Worker;
  readonly tasks: Map<number, WorkerTask>;
  /** When it became idle, by `performance.now()`. */
  idleSince: number;
  /** Looks whether it is idle for long; one timer for many tasks. */
  timer: ReturnType<typeof setTimeout> | undefined;
  /** Whether it was offered a task and has yet to answer. */
  asked: boolean;
  /** Called when it has ended. */
  onEnd: (() => void) | undefined;
}

/** What waits in line. */
interface Waiting {
  readonly task: WorkerTask;
  readonly message: ToWorker;
  readonly transfer: Transferable[];
}

/** How a pool works. */
export interface PoolOptions {
  /** The most Workers. */
  readonly workers: number;
  /** How long a Worker is idle before it stops, in milliseconds. */
  readonly workerIdleMs: number;
  /** How to open a Worker's queue; undefined if what it runs needs none. */
  readonly queue: IoqOptions | undefined;
  /** Whether several tasks may share a Worker. */
  readonly shares: boolean;
}

/** See the module. */
export class WorkerPool {
  readonly #options: PoolOptions;
  readonly #workers = new Set<PoolWorker>();
  readonly #line = new Map<number, Waiting>();
  /** Workers that are told to stop. */
  readonly #stopping = new Set<Promise<void>>();
  #sequence = 0;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** How many Workers there are. */
  get size(): number {
    return this.#workers.size;
  }

  /**
   * Run a module's default export in a Worker.
   *
   * @throws {DOMException} DataCloneError, if something cannot be cloned.
   */
  run(module: string, args: readonly unknown[], transfer: Transferable[]): WorkerTask {
    const task = new WorkerTask(this.#sequence++, this);
    const worker = this.#choose();
    if (worker !== undefined) {
      this.#assign(worker, {
        task,
        message: { kind: "run", id: task.id, module, args },
        transfer,
      });
      return task;
    }
    const copy = structuredClone({ args, transfer }, { transfer });
    const message: ToWorker = { kind: "run", id: task.id, module, args: copy.args };
    this.#line.set(task.id, { task, message, transfer: copy.transfer });
    this.#offer();
    return task;
  }

  /** Ask a task to stop. One that has not begun never does. */
  cancel(task: WorkerTask): void {
    if (this.#line.delete(task.id)) {
      task.reject(new Canceled());
    } else {
      task.worker?.worker.postMessage({ kind: "cancel", id: task.id } satisfies ToWorker);
    }
  }

  /** Ask all tasks to stop. */
  cancelAll(): void {
    for (const { task } of [...this.#line.values()]) {
      task.request();
    }
    for (const { tasks } of this.#workers) {
      for (const task of [...tasks.values()]) {
        task.request();
      }
    }
  }

  /** How many tasks Workers have. */
  get running(): number {
    return this.#workers.values().reduce((sum, { tasks }) => sum + tasks.size, 0);
  }

  /** End the Workers that have tasks, which fail. */
  abandon(why: Error): void {
    for (const worker of [...this.#workers]) {
      if (worker.tasks.size > 0) {
        this.#lose(worker, why);
      }
    }
  }

  /** Stop all Workers. No task may be running. */
  async close(): Promise<void> {
    for (const worker of [...this.#workers]) {
      this.#stop(worker);
    }
    await Promise.all(this.#stopping);
  }

  /** Who runs the next task at once; nobody, if it has to wait. */
  #choose(): PoolWorker | undefined {
    for (const worker of this.#workers) {
      if (worker.tasks.size === 0) {
        return worker;
      }
    }
    return this.#workers.size < this.#options.workers ? this.#start() : undefined;
  }

  /** Offer what is in line to all who may share. */
  #offer(): void {
    if (this.#options.shares && this.#line.size > 0) {
      for (const worker of this.#workers) {
        if (!worker.asked) {
          worker.asked = true;
          worker.worker.postMessage({ kind: "offer" } satisfies ToWorker);
        }
      }
    }
  }

  /** Give a Worker the first in line, if there is one. */
  #giveNext(worker: PoolWorker): boolean {
    const next = this.#line.values().next().value;
    if (next === undefined) {
      return false;
    }
    this.#line.delete(next.task.id);
    this.#assign(worker, next);
    return true;
  }

  #assign(worker: PoolWorker, { task, message, transfer }: Waiting): void {
    try {
      worker.worker.postMessage(message, transfer);
    } catch (error) {
      this.#rest(worker);
      throw error;
    }
    worker.tasks.set(task.id, task);
    task.worker = worker;
  }

  #start(): PoolWorker {
    const worker = new Worker(new URL("./pool_worker.ts", import.meta.url), { type: "module" });
    const member: PoolWorker = {
      worker,
      tasks: new Map(),
      idleSince: 0,
      timer: undefined,
      asked: false,
      onEnd: undefined,
    };
    const { queue } = this.#options;
    worker.postMessage({ kind: "open", queue } satisfies ToWorker);
    worker.addEventListener("message", ({ data }) => this.#hear(member, data as FromWorker));
    worker.addEventListener("error", (event) => {
      // It is the tasks' failure, and not this thread's
      event.preventDefault();
      this.#lose(member, new Error(`The Worker died: ${event.message}`));
    });
    worker.addEventListener("messageerror", () => {
      this.#lose(member, new Error("The Worker died: what it sent cannot be read"));
    });
    this.#workers.add(member);
    return member;
  }

  #hear(worker: PoolWorker, message: FromWorker): void {
    switch (message.kind) {
      case "done":
        this.#take(worker, message.id)?.resolve(message.value);
        break;
      case "failed":
        this.#take(worker, message.id)?.reject(decodeError(message.error));
        break;
      case "free":
        worker.asked = false;
        if (this.#workers.has(worker)) {
          // One of a few; of a long line more, since each answer takes its time
          const share = Math.ceil(this.#line.size / (this.#workers.size * SHARES));
          for (let given = 0; given < share && this.#giveNext(worker); given++);
          this.#offer();
        }
        break;
      case "stopped":
        worker.onEnd?.();
        break;
      case "dying": {
        const cause = decodeError(message.error);
        const why = cause instanceof Error ? cause.message : String(cause);
        this.#drop(worker, new Error(`The Worker died: ${why}`, { cause }));
        break;
      }
      case "gone":
        this.#lose(worker, new Error("The Worker died: it was closed from inside"));
    }
  }

  /** A task is over. */
  #take(worker: PoolWorker, id: number): WorkerTask | undefined {
    const task = worker.tasks.get(id);
    worker.tasks.delete(id);
    if (worker.tasks.size === 0 && !this.#giveNext(worker)) {
      this.#rest(worker);
    }
    return task;
  }

  /** A Worker has nothing to do. */
  #rest(worker: PoolWorker): void {
    if (worker.tasks.size === 0) {
      worker.idleSince = performance.now();
      worker.timer ??= setTimeout(() => this.#look(worker), this.#options.workerIdleMs);
    }
  }

  /** Stop a Worker that was idle for long enough, or look again when it may have been. */
  #look(worker: PoolWorker): void {
    worker.timer = undefined;
    const leftMs = worker.idleSince + this.#options.workerIdleMs - performance.now();
    if (worker.tasks.size === 0) {
      if (leftMs < 1) {
        this.#stop(worker);
      } else {
        worker.timer = setTimeout(() => this.#look(worker), leftMs);
      }
    }
  }

  #stop(worker: PoolWorker): void {
    this.#awaitEnd(worker);
    worker.worker.postMessage({ kind: "stop" } satisfies ToWorker);
  }

  /** A Worker is about to stop: end it when it has, or when that takes too long. */
  #awaitEnd(worker: PoolWorker): void {
    this.#workers.delete(worker);
    clearTimeout(worker.timer);
    const stopped = new Promise<void>((resolve) => {
      worker.timer = setTimeout(resolve, STOP_MS);
      worker.onEnd = resolve;
    }).then(() => {
      clearTimeout(worker.timer);
      worker.worker.terminate();
      this.#stopping.delete(stopped);
    });
    this.#stopping.add(stopped);
  }

  /** A Worker has died. */
  #lose(worker: PoolWorker, why: Error): void {
    if (worker.onEnd === undefined) {
      this.#drop(worker, why);
    }
    worker.onEnd!();
  }

  /** A Worker is dying: its tasks have failed, and no others. */
  #drop(worker: PoolWorker, why: Error): void {
    if (worker.onEnd !== undefined) {
      return;
    }
    this.#awaitEnd(worker);
    const tasks = [...worker.tasks.values()];
    worker.tasks.clear();
    for (const task of tasks) {
      task.reject(why);
    }
    // There is room for another one
    while (this.#line.size > 0) {
      const other = this.#choose();
      if (other === undefined) {
        break;
      }
      this.#giveNext(other);
    }
    this.#offer();
  }
}
