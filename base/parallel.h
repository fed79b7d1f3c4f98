// Work that threads share, for steps of milliseconds and more: threads are started for each call.
// The runtime's pool is for what is shorter.
#pragma once

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

namespace lathe {

// body(i) for each i < count, on `threads` threads at most, the caller's among them. They begin in
// rising order.
template <typename Body> void shareOut(size_t threads, size_t count, const Body &body) {
  std::atomic<size_t> next{0};
  auto work = [&] {
    for (size_t i; (i = next++) < count;)
      body(i);
  };
  std::vector<std::jthread> helpers;
  for (size_t helper = 1; helper < threads && helper < count; ++helper)
    helpers.emplace_back(work);
  work();
}

} // namespace lathe
