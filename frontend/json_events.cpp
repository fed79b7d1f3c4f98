#include "frontend/json_events.h"

#include <nlohmann/json.hpp>

#include "base/status.h"

namespace lathe::frontend {
namespace {

// nlohmann's SAX interface, turned into ours. Names are the library's.
class Adapter : public nlohmann::json::json_sax_t {
public:
  Adapter(JsonEvents &events, absl::string_view source, int max_depth)
      : events_(events), source_(source), max_depth_(max_depth) {}

  bool null() override { return take(events_.onOther("null", depth_)); }
  bool boolean(bool value) override {
    return take(events_.onOther(value ? "true" : "false", depth_));
  }
  bool number_integer(number_integer_t value) override {
    return take(events_.onOther(absl::StrCat(value), depth_));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return take(events_.onUnsigned(value, depth_));
  }
  bool number_float(number_float_t value, const string_t &) override {
    return take(events_.onOther(absl::StrCat(value), depth_));
  }
  bool string(string_t &text) override { return take(events_.onString(text, depth_)); }
  bool binary(binary_t &) override { return take(events_.onOther("binary data", depth_)); }
  bool key(string_t &text) override { return take(events_.onKey(text, depth_)); }
  bool start_object(size_t) override { return take(events_.onObject(depth_)) && open(); }
  bool end_object() override { return take(events_.onObjectEnd(--depth_)); }
  bool start_array(size_t) override { return take(events_.onArray(depth_)) && open(); }
  bool end_array() override { return take(events_.onArrayEnd(--depth_)); }
  bool parse_error(size_t position, const std::string &,
                   const nlohmann::json::exception &) override {
    return take(
        absl::InvalidArgumentError(absl::StrCat(source_, ": not valid JSON at byte ", position)));
  }

  absl::Status status;

private:
  bool take(absl::Status next) {
    status = std::move(next);
    return status.ok();
  }
  bool open() {
    if (depth_++ < max_depth_)
      return true;
    return take(absl::InvalidArgumentError(
        absl::StrCat(source_, ": nested deeper than ", max_depth_, " levels")));
  }

  JsonEvents &events_;
  absl::string_view source_;
  int max_depth_, depth_ = 0;
};

} // namespace

absl::Status parseJsonEvents(absl::string_view text, absl::string_view source, JsonEvents &events,
                             int max_depth) {
  Adapter adapter(events, source, max_depth);
  bool done = nlohmann::json::sax_parse(text.begin(), text.end(), &adapter);
  if (!done && adapter.status.ok())
    return absl::InvalidArgumentError(absl::StrCat(source, ": not valid JSON"));
  return adapter.status;
}

} // namespace lathe::frontend
