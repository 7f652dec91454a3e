// Copyright 2026 the ioq authors. MIT license.

/** A plain Worker that gives back what it is sent. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<number>) => void;
  postMessage(value: number): void;
};

scope.onmessage = ({ data }) => scope.postMessage(data);
