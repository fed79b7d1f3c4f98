// Marks what liblathe_runtime.so shows; everything else in it is hidden.
#pragma once

#define LATHE_RUNTIME_API __attribute__((visibility("default")))
