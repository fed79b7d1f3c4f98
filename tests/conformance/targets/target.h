// Something that cases run on: a target of a plugin, or the host's CPU through our own backend.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/types/span.h"

#include "tests/conformance/run/oracle.h"

namespace lathe::conformance {

// A case, loaded onto a device.
class Loaded {
public:
  virtual ~Loaded() = default;
  // Runs one step on the state that the steps before it left.
  virtual absl::StatusOr<std::vector<reference::Tensor>> run(size_t step) = 0;
};

// What became of a case before it ran: exactly one of these, and the type that values are rounded
// to where a target says so.
struct Prepared {
  std::string skipped; // "unsupported_op: null has no lathe.rope"
  absl::Status failed;
  std::unique_ptr<Loaded> loaded;
  std::string converted_to;
};

class Target {
public:
  virtual ~Target() = default;
  virtual RowsFrom rowsFrom() const = 0;
  // How many cases it likes to compile at once.
  virtual size_t batch() const = 0;
  // Asks, compiles and loads: one answer for each program. What is loaded borrows its program.
  virtual std::vector<Prepared> prepare(absl::Span<Program *const> programs) = 0;
};

// How a user chooses one.
struct TargetOptions {
  std::string plugin;                      // the path of a library; empty: our own backend
  std::vector<std::string> plugin_options; // NAME=VALUE
  std::string target; // "x86", "x86-64-v3", a target of the plugin; empty: the first one
  int threads = 1;
  bool specialise = false; // x86: every case compiled as models are, and not a sample of them
};

absl::StatusOr<std::unique_ptr<Target>> openTarget(const TargetOptions &options);
absl::StatusOr<std::unique_ptr<Target>> openX86(const TargetOptions &options);
absl::StatusOr<std::unique_ptr<Target>> openPlugin(const TargetOptions &options);

} // namespace lathe::conformance
