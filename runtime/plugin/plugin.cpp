#include "runtime/plugin/plugin.h"

#include <algorithm>
#include <dlfcn.h>
#include <filesystem>
#include <mutex>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/status.h"
#include "runtime/device/abi_struct.h"
#include "runtime/device/error.h"
#include "runtime/plugin/host.h"

namespace lathe::runtime {
namespace {

constexpr size_t kMaxTargets = 1024;

#if defined(__SANITIZE_ADDRESS__)
constexpr uint32_t kFeatures = LATHE_FEATURE_ASAN;
#elif defined(__SANITIZE_THREAD__)
constexpr uint32_t kFeatures = LATHE_FEATURE_TSAN;
#else
constexpr uint32_t kFeatures = 0;
#endif

bool isName(absl::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return absl::ascii_isalnum(c) || c == '-' || c == '_' || c == '.';
  });
}

bool isTile(int64_t extent) { return extent >= 1 && extent <= LATHE_MAX_TILE; }

// Of this process. A library has one state, so it is entered once, whoever asks for it.
struct Loaded {
  std::recursive_mutex mutex; // held while a plugin is entered or left: one may fail in the other
  std::map<std::string, std::weak_ptr<Plugin>> plugins; // by path
};

Loaded &loaded() {
  static auto *loaded = new Loaded; // never destroyed: plugins may outlive static objects
  return *loaded;
}

std::string versionText(uint32_t major, uint32_t minor) { return absl::StrCat(major, ".", minor); }

} // namespace

Plugin::Plugin(std::string path, const PluginOptions &options)
    : path_(std::move(path)), host_(std::make_unique<Host>(options)) {}

Plugin::~Plugin() {
  std::lock_guard<std::recursive_mutex> lock(loaded().mutex);
  devices_.reset();
  if (plugin_.unload)
    plugin_.unload();
  if (library_)
    dlclose(library_);
}

absl::Status Plugin::wrong(absl::string_view what) const {
  return absl::FailedPreconditionError(absl::StrCat("plugin ", path_, ": ", what));
}

absl::StatusOr<std::shared_ptr<Plugin>> Plugin::load(const std::string &path,
                                                     const PluginOptions &options) {
  std::error_code error;
  std::string absolute = std::filesystem::absolute(path, error).string();
  std::string real = std::filesystem::weakly_canonical(path, error).string();
  std::lock_guard<std::recursive_mutex> lock(loaded().mutex);
  std::weak_ptr<Plugin> &known = loaded().plugins[real];
  if (std::shared_ptr<Plugin> plugin = known.lock())
    return plugin->shared(options);
  std::shared_ptr<Plugin> plugin(new Plugin(absolute, options));
  LATHE_ASSIGN_OR_RETURN(lathe_plugin_entry_fn entry, plugin->open());
  LATHE_RETURN_IF_ERROR(plugin->start(entry));
  known = plugin;
  return plugin;
}

absl::StatusOr<std::shared_ptr<Plugin>>
Plugin::linked(const std::string &name, lathe_plugin_entry_fn entry, const PluginOptions &options) {
  std::shared_ptr<Plugin> plugin(new Plugin(name, options));
  LATHE_RETURN_IF_ERROR(plugin->start(entry));
  return plugin;
}

absl::StatusOr<std::shared_ptr<Plugin>> Plugin::shared(const PluginOptions &options) {
  if (options.options != host_->options.options)
    return wrong("is in use already, with other options");
  return shared_from_this();
}

absl::Status Plugin::start(lathe_plugin_entry_fn entry) {
  LATHE_RETURN_IF_ERROR(enter(entry));
  LATHE_RETURN_IF_ERROR(readIdentity());
  LATHE_RETURN_IF_ERROR(readDevices());
  return readTargets();
}

absl::StatusOr<lathe_plugin_entry_fn> Plugin::open() {
  std::error_code error;
  if (!std::filesystem::is_regular_file(path_, error))
    return absl::NotFoundError(absl::StrCat("plugin ", path_, ": there is no such file"));
  library_ = dlopen(path_.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library_)
    return wrong(absl::StrCat("cannot be loaded: ", dlerror()));
  auto entry = reinterpret_cast<lathe_plugin_entry_fn>(dlsym(library_, LATHE_PLUGIN_SYMBOL));
  if (!entry)
    return wrong("exports no " LATHE_PLUGIN_SYMBOL ", so it is no plugin of Lathe");
  return entry;
}

absl::Status Plugin::enter(lathe_plugin_entry_fn entry) {
  lathe_plugin_entry_args args = {};
  args.struct_size = sizeof args;
  args.host = &host_->abi;
  absl::Status entered = takeError(entry(&args));
  if (!entered.ok())
    return prefixed(entered, absl::StrCat("plugin ", path_, ": "));
  if (!args.plugin)
    return wrong("reports success but gives no plugin");
  const size_t head = offsetof(lathe_plugin, name);
  if (args.plugin->struct_size < head)
    return wrong(absl::StrCat("its lathe_plugin has ", args.plugin->struct_size,
                              " bytes, which hold no version"));
  // From a plugin of another major only the head is read: unload may stand elsewhere in it.
  if (args.plugin->abi_major != LATHE_ABI_MAJOR)
    return wrong(absl::StrCat("built for abi ",
                              versionText(args.plugin->abi_major, args.plugin->abi_minor),
                              ", this runtime has ", versionText(LATHE_ABI_MAJOR, LATHE_ABI_MINOR),
                              "; rebuild it with the runtime/abi/plugin.h of this runtime"));
  plugin_ = copyStruct(args.plugin);
  return absl::OkStatus();
}

absl::Status Plugin::readIdentity() {
  name_ = fromAbi(plugin_.name);
  version_ = fromAbi(plugin_.version);
  description_ = fromAbi(plugin_.description);
  if (!isName(name_))
    return wrong(absl::StrCat("its name is '", absl::CEscape(name_),
                              "'; letters, digits, '-', '_' and '.' make a name"));
  if (plugin_.features & ~kFeatures)
    return wrong("is built with a sanitizer and this program is not; build both alike");
  if (!plugin_.devices && !plugin_.compiler)
    return wrong("has neither a device half nor a compile half");
  return absl::OkStatus();
}

absl::Status Plugin::readDevices() {
  if (!plugin_.devices)
    return absl::OkStatus();
  auto table = DeviceTable::of(plugin_.devices);
  if (!table.ok())
    return prefixed(table.status(), absl::StrCat("plugin ", path_, ": "));
  devices_ = std::make_unique<DeviceTable>(*table);
  auto count = devices_->count();
  if (!count.ok())
    return prefixed(count.status(), absl::StrCat("plugin ", path_, ": "));
  device_count_ = *count;
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<Device>> Plugin::openDevice(uint32_t index) {
  std::string where = absl::StrCat("plugin ", path_, ": device ", name_, ":", index, ": ");
  if (index >= device_count_)
    return absl::NotFoundError(absl::StrCat(where, "it has ", device_count_, " devices"));
  auto device = devices_->open(index, shared_from_this(), name_);
  return device.ok() ? device : prefixed(device.status(), where);
}

absl::Status Plugin::readTargets() {
  if (!plugin_.compiler)
    return absl::OkStatus();
  compiler_ = copyStruct(plugin_.compiler);
  if (!compiler_.target_list || !compiler_.supports || !compiler_.compile)
    return wrong("its compile half lacks target_list, supports or compile, which "
                 "runtime/abi/plugin.h requires");
  lathe_target_list_args args = {};
  args.struct_size = sizeof args;
  absl::Status listed = takeError(compiler_.target_list(&args));
  if (!listed.ok())
    return prefixed(listed, absl::StrCat("plugin ", path_, ": "));
  if (args.target_count > kMaxTargets || (args.target_count > 0 && !args.targets))
    return wrong(absl::StrCat("lists ", args.target_count, " targets; at most ", kMaxTargets,
                              " make sense"));
  for (size_t i = 0; i < args.target_count; ++i) {
    if (!args.targets[i])
      return wrong(absl::StrCat("its target ", i, " is NULL"));
    lathe_target target = copyStruct(args.targets[i]);
    TargetProperties mine = {fromAbi(target.name),
                             fromAbi(target.description),
                             fromAbi(target.compatibility),
                             fromAbi(target.details),
                             target.memory_bytes,
                             target.transfer_bandwidth,
                             target.transfer_seconds,
                             target.takes,
                             target.tile_rows ? target.tile_rows : TargetProperties().tile_rows,
                             target.tile_columns ? target.tile_columns
                                                 : TargetProperties().tile_columns,
                             args.targets[i]};
    if (!isName(mine.name))
      return wrong(absl::StrCat("its target ", i, " has the name '", absl::CEscape(mine.name),
                                "'; letters, digits, '-', '_' and '.' make a name"));
    if (!isTile(mine.tile_rows) || !isTile(mine.tile_columns))
      return wrong(absl::StrCat("its target ", mine.name, " has tiles of ", mine.tile_rows, " x ",
                                mine.tile_columns, "; 1 to ", LATHE_MAX_TILE, " make sense"));
    targets_.push_back(std::move(mine));
  }
  return absl::OkStatus();
}

} // namespace lathe::runtime
