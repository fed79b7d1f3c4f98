// `lathe compile` and its kin as functions. api.h says what each does.
#pragma once

#include "tools/compiler/api.h"

namespace lathe::compiler {

// INVALID_ARGUMENT: options or checkpoint; ALREADY_EXISTS: the output, without `force`; CANCELLED;
// RESOURCE_EXHAUSTED: the disk is full. Nothing stands under the output's name then.
absl::StatusOr<CompileReport> compile(const CompileOptions &options);

absl::StatusOr<std::string> describeCheckpoint(const std::string &folder, bool json);
absl::StatusOr<std::string> checkpointIr(const std::string &folder, bool optimised);
absl::StatusOr<std::string> printBytecode(absl::string_view bytecode);

} // namespace lathe::compiler
