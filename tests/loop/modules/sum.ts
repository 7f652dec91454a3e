// Copyright 2026 the ioq authors. MIT license.

/** Adds numbers up, and tells which thread it was by how often that was asked. */
let calls = 0;

export default function (numbers: number[]): { sum: number; calls: number } {
  calls++;
  return { sum: numbers.reduce((a, b) => a + b, 0), calls };
}
