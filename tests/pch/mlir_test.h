// The same for tests of layers that use MLIR.
#pragma once
#include "ir/pch/mlir.h"
#include "tests/pch/test.h"
