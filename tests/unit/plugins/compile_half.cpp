#include "tests/unit/plugins/compile_half.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"
#include "runtime/device/error.h"

namespace lathe::plugins {

using runtime::DeviceBuffer;
using runtime::takeError;

absl::StatusOr<Answer> supports(const runtime::Plugin &plugin, const lathe_op *op, int64_t rows,
                                size_t target) {
  const plugin::Target asked = {plugin.targets()[target].name, plugin.compiler(),
                                plugin.targets()[target].handle};
  return plugin::ask(asked, {op, rows, /*keys=*/1});
}

absl::StatusOr<Compiled> Compiled::make(const runtime::Plugin &plugin, const lathe_program *program,
                                        size_t target) {
  lathe_compile_args args = {};
  args.struct_size = sizeof args;
  args.target = plugin.targets()[target].handle;
  args.program = program;
  LATHE_RETURN_IF_ERROR(takeError(plugin.compiler()->compile(&args)));
  Compiled compiled;
  compiled.compiled_.reset(args.compiled);
  compiled.program_ = program;
  return compiled;
}

std::vector<uint8_t> Compiled::code() const {
  const auto *begin = static_cast<const uint8_t *>(get().code);
  return {begin, begin + get().code_size};
}

absl::StatusOr<std::vector<uint8_t>> Compiled::pack(uint32_t weight, uint64_t piece) const {
  std::vector<uint8_t> bytes(get().weights[weight]->size);
  for (uint64_t offset = 0; offset < bytes.size(); offset += piece) {
    lathe_pack_args args = {};
    args.struct_size = sizeof args;
    args.compiled = compiled_.get();
    args.program = program_;
    args.weight = weight;
    args.offset = offset;
    args.size = std::min<uint64_t>(piece, bytes.size() - offset);
    args.destination = bytes.data() + offset;
    LATHE_RETURN_IF_ERROR(takeError(get().pack(&args)));
  }
  return bytes;
}

absl::StatusOr<std::vector<uint8_t>> Compiled::packAll(std::vector<uint64_t> &offsets) const {
  std::vector<uint8_t> all;
  for (uint32_t i = 0; i < get().weight_count; ++i) {
    const uint64_t alignment = get().weights[i]->alignment;
    all.resize((all.size() + alignment - 1) / alignment * alignment);
    offsets.push_back(all.size());
    LATHE_ASSIGN_OR_RETURN(std::vector<uint8_t> bytes, pack(i, 1 << 16));
    all.insert(all.end(), bytes.begin(), bytes.end());
  }
  return all;
}

namespace {

absl::StatusOr<DeviceBuffer> bufferOf(runtime::Device &device, const void *bytes, size_t size) {
  LATHE_ASSIGN_OR_RETURN(DeviceBuffer buffer, device.allocate(size, 0));
  LATHE_ASSIGN_OR_RETURN(void *mapped, buffer.map(LATHE_MAP_WRITE));
  if (size > 0)
    std::memcpy(mapped, bytes, size);
  LATHE_RETURN_IF_ERROR(buffer.unmap());
  return buffer;
}

absl::StatusOr<Floats> contentsOf(DeviceBuffer &buffer) {
  LATHE_ASSIGN_OR_RETURN(void *mapped, buffer.map(LATHE_MAP_READ));
  Floats floats(buffer.size() / sizeof(float));
  if (!floats.empty())
    std::memcpy(floats.data(), mapped, buffer.size());
  LATHE_RETURN_IF_ERROR(buffer.unmap());
  return floats;
}

} // namespace

absl::StatusOr<Loaded> Loaded::make(runtime::Plugin &plugin, const Compiled &compiled) {
  Loaded loaded;
  std::vector<uint64_t> offsets;
  LATHE_ASSIGN_OR_RETURN(std::vector<uint8_t> weights, compiled.packAll(offsets));
  LATHE_ASSIGN_OR_RETURN(loaded.device_, plugin.openDevice(0));
  LATHE_ASSIGN_OR_RETURN(loaded.weights_,
                         bufferOf(*loaded.device_, weights.data(), weights.size()));
  LATHE_ASSIGN_OR_RETURN(loaded.state_,
                         loaded.device_->allocate(compiled.get().state_bytes, LATHE_BUFFER_ZEROED));
  LATHE_ASSIGN_OR_RETURN(loaded.executable_,
                         loaded.device_->load(compiled.code(),
                                              runtime::fromAbi(compiled.get().compatibility),
                                              offsets));
  for (size_t i = 0; i < compiled.get().entry_count; ++i) {
    const lathe_compiled_entry &entry = *compiled.get().entries[i];
    loaded.scratch_[runtime::fromAbi(entry.name)] = entry.scratch_bytes;
  }
  return loaded;
}

absl::StatusOr<std::vector<Floats>> Loaded::run(const std::string &entry,
                                                const std::vector<Floats> &inputs,
                                                const std::vector<size_t> &result_sizes,
                                                int64_t rows, int64_t output_rows) {
  LATHE_ASSIGN_OR_RETURN(uint32_t number, executable_.entry(entry));
  std::vector<DeviceBuffer> buffers;
  for (const Floats &input : inputs) {
    LATHE_ASSIGN_OR_RETURN(buffers.emplace_back(),
                           bufferOf(*device_, input.data(), input.size() * sizeof(float)));
  }
  for (size_t size : result_sizes) {
    LATHE_ASSIGN_OR_RETURN(buffers.emplace_back(), device_->allocate(size * sizeof(float), 0));
  }
  LATHE_ASSIGN_OR_RETURN(buffers.emplace_back(), device_->allocate(scratch_[entry], 0));
  std::vector<lathe_binding> bindings;
  for (const DeviceBuffer &buffer : buffers)
    bindings.push_back(buffer.binding());
  bindings.push_back(weights_.binding());
  bindings.push_back(state_.binding());
  LATHE_RETURN_IF_ERROR(device_->run(executable_, number, bindings, rows, output_rows));
  std::vector<Floats> results;
  for (size_t i = 0; i < result_sizes.size(); ++i) {
    LATHE_ASSIGN_OR_RETURN(results.emplace_back(), contentsOf(buffers[inputs.size() + i]));
  }
  return results;
}

} // namespace lathe::plugins
