// What each file of the plugin needs at the border: structs of either age, errors, texts, the host.
#pragma once

#include "isa/result.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <lathe/plugin.h>

namespace npu::plugin {

// A struct of the other side may be shorter than ours, since older, or longer, since newer. `take`
// makes a copy in which what the other side does not know is zero; `give` writes an answer back as
// far as the other side has room for it.
template <class T> T take(const T *theirs) {
  T mine;
  std::memset(static_cast<void *>(&mine), 0, sizeof mine);
  size_t known = theirs->struct_size / sizeof(void *) * sizeof(void *);
  known = std::min(known, sizeof mine);
  std::memcpy(static_cast<void *>(&mine), theirs, known);
  mine.struct_size = known;
  return mine;
}

template <class T> lathe_error *give(T *theirs, const T &mine) {
  const size_t head = sizeof(size_t);
  if (mine.struct_size > head)
    std::memcpy(reinterpret_cast<char *>(theirs) + head,
                reinterpret_cast<const char *>(&mine) + head, mine.struct_size - head);
  return nullptr;
}

inline std::string_view view(lathe_string text) { return {text.data, text.size}; }
inline lathe_string shown(std::string_view text) { return {text.data(), text.size()}; }

// Owned by who called the plugin. The message gets "npu: " in front.
lathe_error *fail(uint32_t code, std::string_view message);
void release(lathe_error *error); // NULL is fine
// The message of an error that another function of the border gave; releases it.
std::string take_message(lathe_error *error);

// As much as fits, and the size of all of it.
void write_text(lathe_text_out *out, std::string_view text);

// The host that entered the plugin; functions that an older one lacks are NULL.
extern lathe_host host;
void log_line(uint32_t level, std::string_view text);
// What the user set for this plugin; empty where it was not set.
std::string_view option(std::string_view name);

} // namespace npu::plugin
