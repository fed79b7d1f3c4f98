// How many threads are worth starting: see usableCores() in thread_pool.h.
#include <algorithm>
#include <cmath>
#include <fstream>
#include <sched.h>
#include <set>
#include <string>

#include "runtime/cpu/thread_pool.h"

namespace lathe::runtime {
namespace {

std::string firstLine(const std::string &path) {
  std::ifstream stream(path);
  std::string line;
  std::getline(stream, line);
  return line;
}

// Threads of one core give the same list, so that a set of lists counts cores.
int coresInMask(const cpu_set_t &mask) {
  std::set<std::string> cores;
  for (int cpu = 0; cpu < CPU_SETSIZE; ++cpu) {
    if (!CPU_ISSET(cpu, &mask))
      continue;
    std::string id = std::to_string(cpu);
    std::string siblings =
        firstLine("/sys/devices/system/cpu/cpu" + id + "/topology/thread_siblings_list");
    cores.insert(siblings.empty() ? "cpu" + id : siblings);
  }
  return static_cast<int>(cores.size());
}

// cgroup v2's cpu.max of the container, "quota period" in microseconds; 0 where there is none.
int coresOfQuota() {
  std::ifstream stream("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (!(stream >> quota >> period) || period <= 0)
    return 0;
  return static_cast<int>(std::ceil(quota / period));
}

} // namespace

int usableCores() {
  cpu_set_t mask;
  CPU_ZERO(&mask);
  int cores = 1;
  if (sched_getaffinity(0, sizeof mask, &mask) == 0)
    cores = std::max(1, coresInMask(mask));
  if (int quota = coresOfQuota(); quota > 0)
    cores = std::min(cores, quota);
  return std::min(cores, kMaxThreads);
}

} // namespace lathe::runtime
