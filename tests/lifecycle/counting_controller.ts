// Copyright 2026 the ioq authors. MIT license.

/** A signal that counts its listeners. */
export class CountingController extends AbortController {
  /** How many there are. */
  listeners = 0;

  constructor() {
    super();
    const { signal } = this;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: unknown[]) => {
      this.listeners++;
      (add as (...args: unknown[]) => void)(...args);
    };
    signal.removeEventListener = (...args: unknown[]) => {
      this.listeners--;
      (remove as (...args: unknown[]) => void)(...args);
    };
  }
}
