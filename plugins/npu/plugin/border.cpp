#include "plugin/border.h"

namespace npu::plugin {

lathe_host host;

namespace {

struct OwnedError : lathe_error {
  std::string text;
};

void release_owned(lathe_error *error) { delete static_cast<OwnedError *>(error); }

} // namespace

lathe_error *fail(uint32_t code, std::string_view message) {
  auto *owned = new OwnedError{{}, "npu: " + std::string(message)};
  static_cast<lathe_error &>(*owned) = {sizeof(lathe_error), code, 0, shown(owned->text),
                                        release_owned};
  return owned;
}

void release(lathe_error *error) {
  if (error)
    error->release(error);
}

std::string take_message(lathe_error *error) {
  std::string message(view(error->message));
  release(error);
  return message;
}

void write_text(lathe_text_out *out, std::string_view text) {
  out->size = text.size();
  size_t room = std::min(out->capacity, text.size());
  if (out->data && room > 0)
    std::memcpy(out->data, text.data(), room);
}

void log_line(uint32_t level, std::string_view text) {
  if (host.log)
    host.log(host.context, level, shown(text));
}

std::string_view option(std::string_view name) {
  return host.option ? view(host.option(host.context, shown(name))) : std::string_view();
}

} // namespace npu::plugin
