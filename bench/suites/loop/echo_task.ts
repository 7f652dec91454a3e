// Copyright 2026 the ioq authors. MIT license.

/** A task of a Worker that gives back what it is given. */
export default function (_io: unknown, value: number): number {
  return value;
}
