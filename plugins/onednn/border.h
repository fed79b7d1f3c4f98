// What each file needs at the border: structs of either age, failures, texts, the host. Nothing in
// here is about oneDNN.
#pragma once

#include <cstring>
#include <exception>
#include <mutex>
#include <string>
#include <string_view>

#include <lathe/plugin.h>

namespace onednn {

// What goes wrong inside is thrown, and becomes an error where the host called: see answer().
struct Failure {
  uint32_t code; // LATHE_ERROR_*
  std::string message;
};

[[noreturn]] inline void fail(uint32_t code, std::string message) {
  throw Failure{code, std::move(message)};
}

// Owned by who called the plugin.
lathe_error *giveError(uint32_t code, std::string_view message) noexcept;
// The error for what is being handled right now: to be called in a catch block.
lathe_error *giveCurrentError() noexcept;

// A function of the border: NULL, or the error for what `body` threw. Nothing gets past it.
template <typename Body> lathe_error *answer(Body body) noexcept {
  try {
    body();
    return nullptr;
  } catch (...) {
    return giveCurrentError();
  }
}

// A struct of the other side may be shorter than ours, since older, or longer, since newer. So it
// is never used in place: `take` makes a copy in which what the other side does not know is zero,
// and `give` writes an answer back as far as the other side has room for it.
template <typename Struct> Struct take(const Struct *theirs) {
  // Structs are multiples of a pointer's size: what is over is half a field, and not there.
  const size_t whole = theirs->struct_size / sizeof(void *) * sizeof(void *);
  Struct mine = {};
  const size_t known = whole < sizeof mine ? whole : sizeof mine;
  std::memcpy(static_cast<void *>(&mine), theirs, known);
  mine.struct_size = known;
  return mine;
}

template <typename Struct> void give(Struct *theirs, const Struct &mine) {
  const size_t head = sizeof(size_t);
  if (mine.struct_size > head)
    std::memcpy(reinterpret_cast<char *>(theirs) + head,
                reinterpret_cast<const char *>(&mine) + head, mine.struct_size - head);
}

constexpr lathe_string text(std::string_view view) { return {view.data(), view.size()}; }
inline std::string_view view(lathe_string text) { return {text.data, text.size}; }
// As much of a text of the host as an error should repeat.
inline std::string shown(lathe_string text) { return std::string(view(text).substr(0, 80)); }
// As much as fits, and the size of all of it; a capacity of 0 is a question for the size.
void writeText(lathe_text_out &out, std::string_view text);

// The host that entered the plugin; functions that an older one lacks are NULL.
extern lathe_host host;

// Runs body(begin, end) over items [0, count), on the host's threads where it has some. What a body
// throws on one of them is thrown again here.
template <typename Body> void forEachItem(int64_t count, const Body &body) {
  struct Region {
    const Body &body;
    std::mutex mutex;
    std::exception_ptr failure = nullptr;
  } region{body, {}};
  const lathe_task task = [](void *context, int64_t begin, int64_t end) {
    auto &region = *static_cast<Region *>(context);
    try {
      region.body(begin, end);
    } catch (...) {
      std::lock_guard<std::mutex> lock(region.mutex);
      region.failure = std::current_exception();
    }
  };
  if (count > 1 && host.parallel)
    host.parallel(host.context, task, &region, count);
  else if (count > 0)
    task(&region, 0, count);
  if (region.failure)
    std::rethrow_exception(region.failure);
}

} // namespace onednn
