// What a host cannot notice is left out: an address that is none, and a struct that is shorter than
// its struct_size or a text shorter than its size. Texts stand in memory that is as large as a host
// reads at most, structs have all of their bytes.
#include "tests/fuzz/hostile_plugin.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <memory>
#include <vector>

namespace lathe::fuzz {
namespace {

constexpr size_t kTextRoom = 65536, kMemory = 65536;

struct Bytes {
  const uint8_t *data = nullptr;
  size_t size = 0;

  uint8_t byte() {
    if (size == 0)
      return 0;
    --size;
    return *data++;
  }
};

Bytes bytes;
int errors_owned = 0;
std::vector<std::shared_ptr<void>> kept; // what was handed out in this run
alignas(4096) char memory[kMemory];
char text_room[kTextRoom];

bool oneIn(int n) { return bytes.byte() % n == 1; }

// Small, or as large as numbers get, or near the border of something.
uint64_t number() {
  static constexpr uint64_t kOdd[] = {
      UINT64_MAX, UINT64_MAX - 7, uint64_t{1} << 63, 1ull << 32, UINT32_MAX, 0x7fffffff, 4096, 48};
  const uint8_t byte = bytes.byte();
  return byte < 0xf0 ? byte % 64 : kOdd[byte % 8];
}

lathe_string text(const char *usual) {
  const uint8_t how = bytes.byte();
  if (how < 0xc0)
    return {usual, std::strlen(usual)};
  if (how < 0xd0)
    return {nullptr, number()};
  text_room[number() % kTextRoom] = static_cast<char>(bytes.byte());
  return {text_room, number()};
}

// Of a struct that has all of its bytes.
template <typename Struct> Struct *make() {
  auto owned = std::make_shared<Struct>();
  std::memset(static_cast<void *>(owned.get()), 0, sizeof(Struct));
  owned->struct_size = oneIn(16) ? number() : sizeof(Struct);
  kept.push_back(owned);
  return owned.get();
}

void releaseError(lathe_error *error) {
  --errors_owned;
  delete error;
}

// Rarely one; then perhaps one that says nothing.
lathe_error *result() {
  if (!oneIn(24))
    return nullptr;
  auto *error = new lathe_error();
  ++errors_owned;
  error->struct_size = sizeof *error;
  error->code = static_cast<uint32_t>(number());
  error->message = text("it does not work");
  error->release = releaseError;
  return error;
}

template <typename Handle> Handle *handle() {
  return oneIn(16) ? nullptr : reinterpret_cast<Handle *>(memory);
}

// ---- Device half --------------------------------------------------------------------------------

lathe_error *deviceList(lathe_device_list_args *args) {
  args->device_count = static_cast<uint32_t>(number());
  return result();
}

lathe_error *deviceOpen(lathe_device_open_args *args) {
  args->device = handle<lathe_device>();
  return result();
}

lathe_error *properties(lathe_device_properties_args *args) {
  lathe_device_properties &out = *args->properties;
  out.name = text("chip");
  out.kind = text("npu");
  out.compatibility = text("arch=chip");
  out.level = text("chip-1");
  out.details = text("{}");
  out.memory_bytes = number();
  out.import_alignment = number();
  out.parallelism = static_cast<uint32_t>(number());
  out.host_visible = static_cast<uint32_t>(number());
  return result();
}

lathe_error *allocate(lathe_buffer_allocate_args *args) {
  args->buffer = handle<lathe_buffer>();
  return result();
}

lathe_error *import(lathe_buffer_import_args *args) {
  args->buffer = handle<lathe_buffer>();
  return result();
}

lathe_error *map(lathe_buffer_map_args *args) {
  args->memory = handle<char>();
  return result();
}

lathe_error *load(lathe_executable_load_args *args) {
  args->executable = handle<lathe_executable>();
  return result();
}

lathe_error *entry(lathe_executable_entry_args *args) {
  args->entry = static_cast<uint32_t>(number());
  return result();
}

lathe_error *run(lathe_run_args *args) {
  if (args->observe && oneIn(2))
    args->observe(args->observer, text("linear"));
  return result();
}

lathe_error *compatibility(lathe_compatibility_args *args) {
  args->verdict = static_cast<uint32_t>(number());
  args->rank = static_cast<uint32_t>(number());
  args->reason.size = number();
  return result();
}

lathe_error *queueCreate(lathe_queue_create_args *args) {
  args->queue = handle<lathe_queue>();
  return result();
}

lathe_error *eventCreate(lathe_event_create_args *args) {
  args->event = handle<lathe_event>();
  return result();
}

lathe_error *eventWait(lathe_event_wait_args *args) {
  args->reached = oneIn(8) ? number() : args->value;
  return result();
}

template <typename Args> lathe_error *plain(Args *) { return result(); }
// Giving back is not refused: nobody could do anything about it.
template <typename Args> lathe_error *giveBack(Args *) { return nullptr; }

const lathe_device_api *deviceTable() {
  auto *table = make<lathe_device_api>();
  const size_t size = table->struct_size;
  *table = {size,        nullptr,  deviceList,    deviceOpen, giveBack,  properties,
            allocate,    giveBack, map,           plain,      load,      giveBack,
            entry,       run,      compatibility, import,     plain,     plain,
            queueCreate, giveBack, eventCreate,   giveBack,   eventWait, plain};
  // Some function is not there.
  if (oneIn(8)) {
    const size_t first = offsetof(lathe_device_api, device_list);
    const size_t count = (sizeof(lathe_device_api) - first) / sizeof(void *);
    std::memset(reinterpret_cast<char *>(table) + first + number() % count * sizeof(void *), 0,
                sizeof(void *));
  }
  return table;
}

// ---- Compile half -------------------------------------------------------------------------------

const lathe_target *const *targets(size_t count) {
  auto list = std::make_shared<std::vector<const lathe_target *>>();
  for (size_t i = 0; i < count; ++i) {
    lathe_target *target = oneIn(16) ? nullptr : make<lathe_target>();
    list->push_back(target);
    if (!target)
      continue;
    target->name = text("chip-1");
    target->description = text("a chip");
    target->compatibility = text("arch=chip");
    target->takes = static_cast<uint32_t>(number());
    target->memory_bytes = number();
  }
  kept.push_back(list);
  return list->data();
}

lathe_error *targetList(lathe_target_list_args *args) {
  const size_t count = bytes.byte() % 4;
  args->targets = oneIn(16) ? nullptr : targets(count);
  // A count that is too large for what is there is noticed where it makes no sense.
  args->target_count = !args->targets && oneIn(2) ? number() : count;
  if (oneIn(32))
    args->target_count = size_t{1} << 40;
  return result();
}

lathe_error *supports(lathe_support_args *args) {
  args->verdict = static_cast<uint32_t>(number());
  args->reason = static_cast<uint32_t>(number());
  std::memcpy(&args->seconds, text_room, sizeof args->seconds);
  if (args->text.data && args->text.capacity > 0)
    args->text.data[0] = static_cast<char>(bytes.byte());
  args->text.size = number();
  return result();
}

lathe_error *pack(lathe_pack_args *args) {
  std::memset(args->destination, 1, args->size);
  return result();
}

const lathe_compiled_entry *compiledEntry(lathe_string name) {
  if (oneIn(16))
    return nullptr;
  auto *entry = make<lathe_compiled_entry>();
  entry->name = oneIn(16) ? text("decode") : name;
  entry->scratch_bytes = number();
  return entry;
}

const lathe_packed_weight *packedWeight() {
  if (oneIn(16))
    return nullptr;
  auto *weight = make<lathe_packed_weight>();
  auto constants = std::make_shared<std::vector<uint32_t>>();
  const size_t count = bytes.byte() % 3;
  for (size_t i = 0; i < count; ++i)
    constants->push_back(static_cast<uint32_t>(number() % 8));
  kept.push_back(constants);
  weight->layout = text("rows");
  weight->constants = oneIn(16) ? nullptr : constants->data();
  weight->constant_count = count;
  weight->size = number();
  weight->alignment = oneIn(4) ? number() : 64;
  return weight;
}

template <typename Item> const Item *const *listOf(std::vector<const Item *> items) {
  auto list = std::make_shared<std::vector<const Item *>>(std::move(items));
  kept.push_back(list);
  return list->data();
}

void releaseCompiled(lathe_compiled *) {}

lathe_error *compile(lathe_compile_args *args) {
  if (args->progress && oneIn(4) && args->progress(args->context, 0.5))
    return result();
  if (oneIn(16))
    return result();
  auto *compiled = make<lathe_compiled>();
  std::vector<const lathe_compiled_entry *> entries;
  for (size_t i = 0; i < args->program->function_count; ++i)
    entries.push_back(compiledEntry(args->program->functions[i]->name));
  std::vector<const lathe_packed_weight *> weights;
  for (size_t i = bytes.byte() % 4; i > 0; --i)
    weights.push_back(packedWeight());
  compiled->compatibility = text("arch=chip");
  compiled->code = handle<char>();
  compiled->code_size = number();
  compiled->entry_count = entries.size();
  compiled->entries = oneIn(16) ? nullptr : listOf(std::move(entries));
  compiled->weight_count = weights.size();
  compiled->weights = oneIn(16) ? nullptr : listOf(std::move(weights));
  compiled->state_bytes = number();
  compiled->details = text("{}");
  compiled->pack = oneIn(16) ? nullptr : pack;
  compiled->release = oneIn(16) ? nullptr : releaseCompiled;
  args->compiled = compiled;
  return result();
}

const lathe_compile_api *compileTable() {
  auto *table = make<lathe_compile_api>();
  table->target_list = oneIn(32) ? nullptr : targetList;
  table->supports = oneIn(32) ? nullptr : supports;
  table->compile = oneIn(32) ? nullptr : compile;
  return table;
}

} // namespace

void answerWith(const uint8_t *data, size_t size) {
  bytes = {data, size};
  kept.clear();
  errors_owned = 0;
  std::fill(text_room, text_room + kTextRoom, 't');
}

int errorsOwned() { return errors_owned; }

lathe_error *hostileEntry(lathe_plugin_entry_args *args) {
  auto *plugin = make<lathe_plugin>();
  plugin->abi_major = oneIn(16) ? static_cast<uint32_t>(number()) : LATHE_ABI_MAJOR;
  plugin->abi_minor = static_cast<uint32_t>(number());
  plugin->name = text("chip");
  plugin->version = text("1");
  plugin->description = text("a chip");
  plugin->features = oneIn(16) ? static_cast<uint32_t>(number()) : 0;
  plugin->devices = oneIn(16) ? nullptr : deviceTable();
  plugin->compiler = oneIn(16) ? nullptr : compileTable();
  args->plugin = oneIn(32) ? nullptr : plugin;
  return result();
}

} // namespace lathe::fuzz
