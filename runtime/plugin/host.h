// What a plugin is given of us: its options, a place for its log, threads.
#pragma once

#include <memory>
#include <mutex>

#include "runtime/cpu/thread_pool.h"
#include "runtime/plugin/plugin.h"

namespace lathe::runtime {

struct Plugin::Host {
  explicit Host(const PluginOptions &options);

  lathe_host abi;
  PluginOptions options;
  std::mutex mutex;                 // of the pool: one region at a time
  std::unique_ptr<ThreadPool> pool; // made when first asked for
};

} // namespace lathe::runtime
