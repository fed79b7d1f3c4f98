// The compiler as a library that `lathe` loads when a verb needs it, so that `lathe run` starts
// without MLIR and LLVM. Both sides are built together: C++ types cross this border, plugins never
// see it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

#include "runtime/plugin/plugin.h"

namespace lathe::compiler {

// Told about progress: `done` of `total` units of a stage. total 0: no measure of it.
using Progress = std::function<void(absl::string_view stage, uint64_t done, uint64_t total)>;
// Told what a user should know although the work goes on.
using Note = std::function<void(absl::string_view text)>;

struct CompileOptions {
  std::string checkpoint, output;
  // "x86", "x86-64-v3", ...; none of x86: this machine's level and lower ones. "npu:ascend-910b":
  // of a plugin.
  std::vector<std::string> targets;
  std::vector<std::shared_ptr<runtime::Plugin>> plugins;
  std::string place;               // "PATTERN=TARGET,...": overrides costs; see --lathe-place-ops
  bool strict = false;             // what no target but x86 takes is an error; see --strict
  std::string activations = "f32"; // "f32", "bf16", "w8a8"
  std::string weights; // of products: "q8_0", "q4_0", "fp8", "bf16"; empty: as in the checkpoint
  // What caches hold: "f32", "bf16"; empty: bf16 where activations are, since attention may round
  // what it reads of a cache then, else f32.
  std::string cache;
  std::string mla_form;      // "materialised", "absorbed"; empty: the cost model chooses
  int64_t max_context = 0;   // tokens; 0: the model's own
  int64_t prefill_chunk = 0; // rows that one prefill step takes; 0: chosen
  int threads = 0;           // for packing; 0: all physical cores
  std::string dump_stages;   // folder for the IR after each stage; empty: none
  bool force = false;        // replace `output` if it is there
  Progress progress;
  Note note;
  const std::atomic<bool> *cancelled = nullptr; // looked at between pieces of work
};

// What was made, for people and for --json.
struct CompileReport {
  std::string explain_json; // what each layer got and why
  uint64_t file_bytes = 0, packed_bytes = 0;
  double seconds_import = 0, seconds_passes = 0, seconds_code = 0, seconds_pack = 0;
  std::vector<std::string> targets;
};

struct Api {
  absl::StatusOr<CompileReport> (*compile)(const CompileOptions &options);
  // The fidelity report of a checkpoint: what was recognised and what was assumed.
  absl::StatusOr<std::string> (*describeCheckpoint)(const std::string &folder, bool json);
  // A checkpoint's IR as text, portable or optimised, without weights.
  absl::StatusOr<std::string> (*checkpointIr)(const std::string &folder, bool optimised);
  // Bytecode of an artifact's IR section as text.
  absl::StatusOr<std::string> (*printBytecode)(absl::string_view bytecode);
};

} // namespace lathe::compiler

// The only symbol of liblathe_compiler.so.
extern "C" __attribute__((visibility("default"))) const lathe::compiler::Api *lathe_compiler_api();
#define LATHE_COMPILER_API_SYMBOL "lathe_compiler_api"
