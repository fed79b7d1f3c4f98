// Large flat JSON (tables of a hundred thousand tensors) as a stream of events: no tree is built,
// so time and memory are linear in what the reader keeps, and depth is refused before it is nested.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace lathe::frontend {

// Override what may come; everything else is refused by calling unexpected(). `depth` is the number
// of open objects and arrays around the value. The first error ends the parse.
class JsonEvents {
public:
  virtual ~JsonEvents() = default;

  virtual absl::Status onObject(int depth) { return unexpected("an object"); }
  virtual absl::Status onObjectEnd(int depth) { return absl::OkStatus(); }
  virtual absl::Status onArray(int depth) { return unexpected("a list"); }
  virtual absl::Status onArrayEnd(int depth) { return absl::OkStatus(); }
  virtual absl::Status onKey(std::string &key, int depth) { return absl::OkStatus(); }
  virtual absl::Status onString(std::string &text, int depth) { return unexpected("a string"); }
  virtual absl::Status onUnsigned(uint64_t value, int depth) { return unexpected("a number"); }
  // null, booleans, negative and fractional numbers
  virtual absl::Status onOther(absl::string_view what, int depth) { return unexpected(what); }

  // Says where in the reader's own words.
  virtual absl::Status unexpected(absl::string_view what) = 0;
};

// Errors: INVALID_ARGUMENT, "SOURCE: ..." for what is no JSON (UTF-8 included) or nests deeper than
// `max_depth`; or what `events` returned.
absl::Status parseJsonEvents(absl::string_view text, absl::string_view source, JsonEvents &events,
                             int max_depth = 16);

} // namespace lathe::frontend
