// Copyright 2026 the ioq authors. MIT license.

console.log(1);
