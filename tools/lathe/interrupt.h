// Ctrl-C as a wish that work looks at, so that files and memory are left in order.
#pragma once

#include <atomic>

namespace lathe::cli {

// While one lives, Ctrl-C sets a flag; a second Ctrl-C that finds it set ends the program at once
// with 130. System calls that wait return early with EINTR. One at a time.
class Interrupt {
public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt &) = delete;
  Interrupt &operator=(const Interrupt &) = delete;

  const std::atomic<bool> *flag() const;
  bool requested() const;
  void clear();
};

} // namespace lathe::cli
