// Copyright 2026 the ioq authors. MIT license.

#include "test.h"

struct test_state test;
