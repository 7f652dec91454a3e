// Copyright 2026 the ioq authors. MIT license.

/** Fails in one way or another. */
export default async function (...args: unknown[]): Promise<unknown> {
  switch (args.at(-1)) {
    case "notfound":
      return await Deno.stat("/nope");
    case "range":
      throw new RangeError("out of it", { cause: new Deno.errors.Busy("because") });
    case "value":
      throw { some: "value" };
    case "function":
      throw () => {};
    case "named":
      throw Object.assign(new Error("of a kind of its own"), { name: "OwnError" });
    case "clone":
      return () => {};
    case "close":
      self.close();
      return await new Promise(() => {});
    case "exit":
      return Deno.exit(7);
    case "die":
      setTimeout(() => {
        throw new Error("died of this");
      });
      return await new Promise(() => {});
    case "stray":
      Promise.reject(new Error("died of this"));
      return await new Promise(() => {});
    case "stray value":
      Promise.reject(new Proxy({}, {}));
      return await new Promise(() => {});
    case "name is a number":
      throw Object.assign(new Error("odd"), { name: 404 });
    case "name is undefined":
      throw Object.assign(new Error("odd"), { name: undefined });
    case "name is a function":
      throw Object.assign(new Error("odd"), { name: () => {} });
    case "name is a class of others":
      throw Object.assign(new Error("odd"), { name: "constructor" });
    case "everything throws":
      throw Object.defineProperties(
        new Error("odd"),
        Object.fromEntries(
          ["name", "message", "stack", "code", "cause"].map((key) => [key, {
            get() {
              throw new Error(`no ${key}`);
            },
          }]),
        ),
      );
    case "its own cause": {
      const error = new Error("odd");
      throw Object.assign(error, { cause: error });
    }
    case "no text":
      throw new Proxy(() => {}, {
        get() {
          throw new Error("no");
        },
        getPrototypeOf() {
          throw new Error("no");
        },
      });
    case "a symbol":
      throw Symbol("odd");
    case "posts":
      for (const message of [null, 7, { kind: "done", id: 0 }, { kind: "stopped" }]) {
        Reflect.apply(Reflect.get(self, "postMessage"), self, [message]);
      }
      throw new Error("odd");
    case "several":
      throw new AggregateError(
        [new Deno.errors.NotFound("one"), "two", new AggregateError([new RangeError("three")])],
        "several",
      );
    case "suppressed":
      throw new SuppressedError(new RangeError("later"), new TypeError("before"), "suppressed");
    case "returns what throws":
      return {
        get value() {
          throw new RangeError("cannot be read");
        },
      };
    default:
      throw new TypeError("Expected a way to fail");
  }
}
