// Copyright 2026 the ioq authors. MIT license.

/** A function of a Worker that gives back what it is given. */
export default function (value: number): number {
  return value;
}
