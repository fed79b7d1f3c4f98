#include "runtime/plugin/host.h"

#include "runtime/device/error.h"

#ifndef LATHE_VERSION
#error "the build says which version this is"
#endif

namespace lathe::runtime {
namespace {

template <typename Host> Host &hostOf(void *context) { return *static_cast<Host *>(context); }

} // namespace

Plugin::Host::Host(const PluginOptions &given) : abi{}, options(given) {
  abi.struct_size = sizeof abi;
  abi.abi_major = LATHE_ABI_MAJOR;
  abi.abi_minor = LATHE_ABI_MINOR;
  abi.name = toAbi("lathe");
  abi.version = toAbi(LATHE_VERSION);
  abi.context = this;
  abi.log = [](void *context, uint32_t level, lathe_string text) {
    auto &host = hostOf<Host>(context);
    if (host.options.log && level >= LATHE_LOG_WARNING)
      host.options.log(fromAbi(text));
  };
  abi.option = [](void *context, lathe_string name) -> lathe_string {
    auto &host = hostOf<Host>(context);
    auto found = host.options.options.find(fromAbi(name));
    return found == host.options.options.end() ? lathe_string{nullptr, 0} : toAbi(found->second);
  };
  abi.parallel = [](void *context, lathe_task task, void *task_context, int64_t count) {
    auto &host = hostOf<Host>(context);
    std::lock_guard<std::mutex> lock(host.mutex);
    if (!host.pool)
      host.pool = std::make_unique<ThreadPool>(host.options.threads > 0 ? host.options.threads
                                                                        : usableCores());
    struct Call {
      lathe_task task;
      void *context;
    } call = {task, task_context};
    auto run = [](const void *context, int64_t begin, int64_t end) {
      const auto &call = *static_cast<const Call *>(context);
      call.task(call.context, begin, end);
    };
    host.pool->run(run, &call, count);
  };
}

} // namespace lathe::runtime
