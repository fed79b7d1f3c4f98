// The same as test.h, for tests that are compiled for speed.
#pragma once
#include "tests/pch/test.h"
