// A device of the plugin with a small model on it, as a host loads one.
#pragma once

#include "plugin/halves.h"
#include "program.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace npu::plugin {

inline std::string message_of(lathe_error *error) { return error ? take_message(error) : ""; }

template <class T> T args() {
  T made = {};
  made.struct_size = sizeof made;
  return made;
}

inline const lathe_target *target(std::string_view name) {
  auto list = args<lathe_target_list_args>();
  EXPECT_EQ(message_of(compile_api.target_list(&list)), "");
  for (size_t i = 0; i < list.target_count; ++i)
    if (view(list.targets[i]->name) == name)
      return list.targets[i];
  return nullptr;
}

inline std::vector<float> wave(size_t n, float step) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = std::sin(float(i) * step + 0.3f);
  return values;
}

// x + norm(x) W^T, with 24 columns.
inline constexpr int64_t cols = 24;
struct Model {
  Model() {
    const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, cols});
    const lathe_value *g = program.weight("g", {cols}, wave(cols, 0.4f));
    const lathe_value *w = program.weight("w", {cols, cols}, wave(cols * cols, 0.7f));
    const lathe_value *y = program.op("lathe.rms_norm", {{"input", x}, {"scale", g}},
                                      {LATHE_EXTENT_ROWS, cols}, {{"epsilon", 1e-5}});
    y = program.op("lathe.linear", {{"x", y}, {"weight", w}}, {LATHE_EXTENT_ROWS, cols});
    result = program.op("lathe.add", {{"lhs", x}, {"rhs", y}}, {LATHE_EXTENT_ROWS, cols});
  }
  std::vector<float> wanted(const std::vector<float> &x) const {
    std::vector<float> out = x;
    for (size_t row = 0; row < x.size(); row += cols) {
      double squares = 0;
      for (int64_t i = 0; i < cols; ++i)
        squares += double(x[row + i]) * x[row + i];
      for (int64_t n = 0; n < cols; ++n)
        for (int64_t k = 0; k < cols; ++k)
          out[row + n] += float(x[row + k] * program.data[0][k] / std::sqrt(squares / cols + 1e-5) *
                                program.data[1][n * cols + k]);
    }
    return out;
  }
  Program program;
  const lathe_value *result;
};

// A device with code of the model on it.
class Loaded {
public:
  explicit Loaded(uint32_t index) {
    auto open = args<lathe_device_open_args>();
    open.index = index;
    EXPECT_EQ(message_of(device_api.device_open(&open)), "");
    device = open.device;
    auto asked = args<lathe_device_properties_args>();
    asked.device = device, asked.properties = &properties;
    EXPECT_EQ(message_of(device_api.properties(&asked)), "");
    compile();
  }
  ~Loaded() {
    compiled->release(compiled);
    for (lathe_buffer *buffer : buffers) {
      auto released = args<lathe_buffer_args>();
      released.device = device, released.buffer = buffer;
      EXPECT_EQ(message_of(device_api.buffer_release(&released)), "");
    }
    auto unloaded = args<lathe_executable_args>();
    unloaded.device = device, unloaded.executable = executable;
    device_api.executable_release(&unloaded);
    auto closed = args<lathe_device_args>();
    closed.device = device;
    EXPECT_EQ(message_of(device_api.device_close(&closed)), "");
  }

  void compile() {
    auto asked = args<lathe_compile_args>();
    asked.target = target(view(properties.level));
    program = model.program.program("step", 20, model.result);
    asked.program = program;
    ASSERT_EQ(message_of(compile_api.compile(&asked)), "");
    compiled = asked.compiled;
  }

  std::string load(std::string_view code) {
    std::vector<uint64_t> offsets;
    uint64_t at = 0;
    for (size_t i = 0; i < compiled->weight_count; ++i) {
      offsets.push_back(at);
      at += (compiled->weights[i]->size + 511) / 512 * 512;
    }
    auto asked = args<lathe_executable_load_args>();
    asked.device = device, asked.code = code.data(), asked.size = code.size();
    asked.compatibility = compiled->compatibility;
    asked.weight_offsets = offsets.data(), asked.weight_count = offsets.size();
    std::string problem = message_of(device_api.executable_load(&asked));
    if (problem.empty()) {
      executable = asked.executable;
      weights = buffer(at);
      for (size_t i = 0; i < offsets.size(); ++i)
        pack(static_cast<uint32_t>(i), memory(weights) + offsets[i]);
    }
    return problem;
  }
  std::string_view code() const {
    return {static_cast<const char *>(compiled->code), compiled->code_size};
  }

  // In two pieces, of which the first ends inside of a number.
  void pack(uint32_t weight, char *to) {
    uint64_t all = compiled->weights[weight]->size, first = std::min<uint64_t>(all, 37);
    for (auto [offset, size] : {std::pair<uint64_t, uint64_t>{0, first}, {first, all - first}}) {
      auto asked = args<lathe_pack_args>();
      asked.compiled = compiled, asked.program = program, asked.weight = weight;
      asked.offset = offset, asked.size = size, asked.destination = to + offset;
      EXPECT_EQ(message_of(compiled->pack(&asked)), "");
    }
  }

  lathe_buffer *buffer(uint64_t size) {
    auto asked = args<lathe_buffer_allocate_args>();
    asked.device = device, asked.size = size, asked.alignment = 64;
    EXPECT_EQ(message_of(device_api.buffer_allocate(&asked)), "");
    buffers.push_back(asked.buffer);
    return asked.buffer;
  }
  char *memory(lathe_buffer *buffer) {
    auto asked = args<lathe_buffer_map_args>();
    asked.device = device, asked.buffer = buffer;
    EXPECT_EQ(message_of(device_api.buffer_map(&asked)), "");
    return static_cast<char *>(asked.memory);
  }

  // Buffers for x, for the result and for what else a run needs.
  std::vector<lathe_binding> bindings(const std::vector<float> &x, uint64_t scratch) {
    uint64_t bytes = x.size() * 4;
    lathe_buffer *in = buffer(bytes), *made = buffer(bytes), *work = buffer(scratch);
    std::memcpy(memory(in), x.data(), bytes);
    return {{in, 0, bytes},
            {made, 0, bytes},
            {work, 0, scratch},
            {weights, 0, weight_bytes()},
            {nullptr, 0, 0}};
  }
  std::string run(const std::vector<lathe_binding> &bindings, int64_t rows,
                  const lathe_order &order = {}) {
    auto asked = args<lathe_run_args>();
    asked.device = device, asked.executable = executable;
    asked.bindings = bindings.data(), asked.binding_count = static_cast<uint32_t>(bindings.size());
    asked.rows = rows;
    asked.order = order;
    return message_of(device_api.run(&asked));
  }
  // x into `out`; what went wrong.
  std::string run(const std::vector<float> &x, std::vector<float> &out, uint64_t scratch,
                  int64_t rows) {
    std::vector<lathe_binding> bound = bindings(x, scratch);
    std::string problem = run(bound, rows);
    out.resize(x.size());
    std::memcpy(out.data(), memory(bound[1].buffer), x.size() * 4);
    return problem;
  }
  uint64_t weight_bytes() const {
    uint64_t at = 0;
    for (size_t i = 0; i < compiled->weight_count; ++i)
      at += (compiled->weights[i]->size + 511) / 512 * 512;
    return at;
  }

  Model model;
  const lathe_program *program = nullptr;
  lathe_device *device = nullptr;
  lathe_device_properties properties = args<lathe_device_properties>();
  lathe_compiled *compiled = nullptr;
  lathe_executable *executable = nullptr;
  lathe_buffer *weights = nullptr;
  std::vector<lathe_buffer *> buffers;
};

} // namespace npu::plugin
