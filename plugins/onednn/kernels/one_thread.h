// oneDNN on the calling thread alone. Debian builds oneDNN on OpenMP, whose number of threads is a
// setting of each thread; the host's threads each run a piece of an op instead, so that how work is
// cut, and with it every bit, depends on shapes and not on threads.
#pragma once

#include <dnnl.hpp>

#if DNNL_CPU_THREADING_RUNTIME != DNNL_RUNTIME_OMP
#error "this oneDNN is not built on OpenMP: say here how it is kept on one thread"
#endif

// Declared and not included, and linked by way of oneDNN alone: it must be the OpenMP that oneDNN
// uses, which need not be the one of the compiler at hand.
extern "C" {
int omp_get_max_threads();
void omp_set_num_threads(int count);
}

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
