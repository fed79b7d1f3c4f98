// What the tests of the compile driver share.
#pragma once

#include <gmock/gmock.h>

#include "tests/unit/models/tiny_checkpoint.h"
#include "tools/compiler/compile.h"

namespace lathe::compiler {

// Options to compile a checkpoint into a folder, for one level and on one thread.
inline CompileOptions optionsFor(const models::TinyCheckpoint &tiny, const std::string &output) {
  CompileOptions options;
  options.checkpoint = tiny.path();
  options.output = output;
  options.targets = {"x86-64-v3"};
  options.threads = 1;
  return options;
}

} // namespace lathe::compiler
