// A plugin whose every answer is the fuzzer's: sizes, counts, texts, errors, tables, what is NULL.
#pragma once

#include <cstddef>
#include <cstdint>

#include "runtime/abi/plugin.h"

namespace lathe::fuzz {

// What the plugin answers from now on. Behind the end of the bytes all answers are 0: it succeeds.
void answerWith(const uint8_t *data, size_t size);

// Handed to lathe::runtime::Plugin::linked.
lathe_error *hostileEntry(lathe_plugin_entry_args *args);

// Errors that the host has not given back.
int errorsOwned();

} // namespace lathe::fuzz
