// oneDNN on the calling thread alone. Debian builds oneDNN on OpenMP, whose number of threads is a
// setting of each thread; the host's threads each run a piece of an op instead, so that how work is
// cut, and with it every bit, depends on shapes and not on threads.
#pragma once

#include <omp.h>

namespace onednn {

// Around all that makes or runs primitives: oneDNN asks for the number in both.
class OneThread {
public:
  OneThread() : before_(omp_get_max_threads()) { omp_set_num_threads(1); }
  ~OneThread() { omp_set_num_threads(before_); }
  OneThread(const OneThread &) = delete;
  OneThread &operator=(const OneThread &) = delete;

private:
  int before_;
};

} // namespace onednn
