#include "tools/compiler/compile.h"

extern "C" __attribute__((visibility("default"))) const lathe::compiler::Api *lathe_compiler_api() {
  using namespace lathe::compiler;
  static const Api api = {&compile, &describeCheckpoint, &checkpointIr, &printBytecode};
  return &api;
}
