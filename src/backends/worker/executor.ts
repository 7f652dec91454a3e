// Copyright 2026 the ioq authors. MIT license.

/**
 * What runs a request, synchronously, on whichever thread it is called.
 *
 * @module
 */

/** Modes of a terminal: as it was; as typed; as typed, but for keys that make signals. */
export type RawMode = "restore" | "raw" | "cbreak";

/** Runs a request synchronously, on the thread that calls it. */
export interface Executor {
  /**
   * Run a request to its end. It may block.
   *
   * @param record The words of its record begin at `at`, as in `ffi/layout.ts`.
   * @param input Holds its paths and, behind them, the bytes it writes.
   * @param start Where in it they begin.
   * @param length How many they are.
   * @returns The result: a value, or a negative error number.
   */
  perform(
    record: Int32Array,
    at: number,
    input: Uint8Array,
    start: number,
    length: number,
  ): number;

  /** By what another thread interrupts it, or 0 if it cannot be interrupted. */
  readonly caller: number;

  /** The number of the last request that was run, for that. */
  readonly turn: number;

  /** Bytes that the last request produced. */
  readonly length: number;

  /** Copy them, once, to where there is room for all of them. */
  take(target: Uint8Array): void;

  /** The same for what is short, to words; there is room for all of the last one. */
  takeWords(target: Int32Array, at: number): void;

  /** Whether a descriptor is a terminal. */
  isTerminal(fd: number): boolean;

  /**
   * Set the mode of a terminal.
   *
   * @param state What it goes back to: `TERMINAL_STATE` bytes, zeroed at first.
   * @returns 0, or a negative error number.
   */
  setRaw(fd: number, mode: RawMode, state: Uint8Array<ArrayBuffer>): number;

  /** Release everything. */
  close(): void;
}
