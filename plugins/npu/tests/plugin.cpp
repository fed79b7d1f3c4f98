// Both halves through the border, as a host uses them, and what they refuse.
#include "plugin/code.h"
#include "plugin/halves.h"
#include "program.h"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace npu::plugin {
namespace {

using testing::HasSubstr;

std::string message_of(lathe_error *error) { return error ? take_message(error) : ""; }

template <class T> T args() {
  T made = {};
  made.struct_size = sizeof made;
  return made;
}

const lathe_target *target(std::string_view name) {
  auto list = args<lathe_target_list_args>();
  EXPECT_EQ(message_of(compile_api.target_list(&list)), "");
  for (size_t i = 0; i < list.target_count; ++i)
    if (view(list.targets[i]->name) == name)
      return list.targets[i];
  return nullptr;
}

std::vector<float> wave(size_t n, float step) {
  std::vector<float> values(n);
  for (size_t i = 0; i < n; ++i)
    values[i] = std::sin(float(i) * step + 0.3f);
  return values;
}

// x + norm(x) W^T, with 24 columns.
constexpr int64_t cols = 24;
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

  // x into `out`; what went wrong.
  std::string run(const std::vector<float> &x, std::vector<float> &out, uint64_t scratch,
                  int64_t rows) {
    uint64_t bytes = x.size() * 4;
    lathe_buffer *in = buffer(bytes), *made = buffer(bytes), *work = buffer(scratch);
    std::memcpy(memory(in), x.data(), bytes);
    std::vector<lathe_binding> bindings{{in, 0, bytes},
                                        {made, 0, bytes},
                                        {work, 0, scratch},
                                        {weights, 0, 1 << 20},
                                        {nullptr, 0, 0}};
    bindings[3].size = weight_bytes();
    auto asked = args<lathe_run_args>();
    asked.device = device, asked.executable = executable;
    asked.bindings = bindings.data(), asked.binding_count = 5;
    asked.rows = rows;
    std::string problem = message_of(device_api.run(&asked));
    out.resize(x.size());
    std::memcpy(out.data(), memory(made), bytes);
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

TEST(Plugin, compilesAndRunsOnEveryDevice) {
  auto list = args<lathe_device_list_args>();
  ASSERT_EQ(message_of(device_api.device_list(&list)), "");
  ASSERT_EQ(list.device_count, builtinDeviceNames().size());
  for (uint32_t index = 0; index < list.device_count; ++index) {
    Loaded loaded(index);
    EXPECT_EQ(loaded.properties.simulated, 1u);
    ASSERT_EQ(loaded.load(loaded.code()), "");
    for (int64_t rows : {1, 3, 20}) {
      std::vector<float> x = wave(rows * cols, 0.21f), out, wanted = loaded.model.wanted(x);
      ASSERT_EQ(loaded.run(x, out, loaded.compiled->entries[0]->scratch_bytes, rows), "");
      for (size_t i = 0; i < x.size(); ++i)
        ASSERT_NEAR(out[i], wanted[i], 5e-3)
            << view(loaded.properties.level) << " row " << i / cols;
    }
  }
}

TEST(Plugin, saysWhatARunLacks) {
  Loaded loaded(0);
  ASSERT_EQ(loaded.load(loaded.code()), "");
  std::vector<float> x = wave(cols, 0.2f), out;
  EXPECT_THAT(loaded.run(x, out, 0, 1), HasSubstr("bytes of scratch"));
  uint64_t scratch = loaded.compiled->entries[0]->scratch_bytes;
  EXPECT_THAT(loaded.run(x, out, scratch, 21), HasSubstr("step takes 1 to 20"));
  // Twenty rows of an input that has one: the simulator knows where its buffer ends.
  EXPECT_THAT(loaded.run(x, out, scratch, 20), HasSubstr("rms_norm 24"));
}

TEST(Plugin, refusesCodeOfAnotherDevice) {
  Loaded first(0), second(1);
  EXPECT_THAT(first.load(second.code()), HasSubstr("made for"));
}

// As if somebody had known how to make the checksum right.
std::string with_checksum(std::string bytes) {
  uint64_t sum = 0xcbf29ce484222325;
  for (size_t i = 16; i < bytes.size(); ++i)
    sum = (sum ^ static_cast<unsigned char>(bytes[i])) * 0x100000001b3;
  std::memcpy(&bytes[8], &sum, 8);
  return bytes;
}

TEST(Plugin, refusesDamagedCode) {
  Loaded loaded(0);
  std::string good(loaded.code());
  Device device = *builtinDevice(view(loaded.properties.level));
  ASSERT_TRUE(read_code(good, device).ok());
  for (size_t length = 0; length < good.size(); length += 1 + length / 8)
    EXPECT_FALSE(read_code(good.substr(0, length), device).ok());
  for (size_t at = 0; at < good.size(); at += 1 + at / 16) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x55);
    EXPECT_FALSE(read_code(bad, device).ok()) << at;
  }
}

// Whatever is in it, reading ends with an answer; what is read has no index out of bounds.
TEST(Plugin, readsHostileCodeWithoutHarm) {
  Loaded loaded(0);
  std::string good(loaded.code());
  Device device = *builtinDevice(view(loaded.properties.level));
  uint64_t state = 1;
  size_t taken = 0;
  for (int i = 0; i < 3000; ++i) {
    std::string bad = good;
    for (int change = 0; change < 1 + i % 3; ++change) {
      state = state * 6364136223846793005u + 1442695040888963407u;
      bad[16 + (state >> 33) % (bad.size() - 16)] = static_cast<char>(state >> 13);
    }
    Result<Code> code = read_code(with_checksum(bad), device);
    if (!code.ok())
      continue;
    ++taken;
    for (const Entry &entry : code->entries)
      for (const Launch &launch : entry.launches)
        ASSERT_LT(launch.kernel, code->module.kernels.size());
  }
  EXPECT_GT(taken, 0u);
}

// ---- Answers

struct Answer {
  uint32_t verdict, reason;
  std::string text, error;
};

Answer ask(const lathe_op *op, std::string_view device) {
  char room[256] = {};
  auto asked = args<lathe_support_args>();
  asked.target = target(device);
  asked.op = op;
  asked.rows = 1;
  asked.text = {room, sizeof room, 0};
  std::string problem = message_of(compile_api.supports(&asked));
  return {asked.verdict, asked.reason, std::string(room, std::min(asked.text.size, sizeof room)),
          problem};
}

TEST(Plugin, namesWhatItConverts) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  const lathe_value *w = program.weight("w", {4, 8}, wave(32, 1));
  program.op("lathe.linear", {{"x", x}, {"weight", w}}, {LATHE_EXTENT_ROWS, 4});
  Answer answer = ask(program.last_op(), "ascend-310p");
  EXPECT_EQ(answer.verdict, uint32_t{LATHE_SUPPORT_CONVERTED});
  EXPECT_THAT(answer.text, HasSubstr("f16"));
  // A cube with f32 converts nothing.
  EXPECT_EQ(ask(program.last_op(), "ascend-910b").verdict, uint32_t{LATHE_SUPPORT_YES});
  program.op("lathe.add", {{"lhs", x}, {"rhs", x}}, {LATHE_EXTENT_ROWS, 8});
  EXPECT_EQ(ask(program.last_op(), "ascend-910b").verdict, uint32_t{LATHE_SUPPORT_YES});
}

TEST(Plugin, saysWhyNot) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  program.op("lathe.selective_scan", {{"x", x}}, {LATHE_EXTENT_ROWS, 8});
  Answer answer = ask(program.last_op(), "tiny");
  EXPECT_EQ(answer.reason, uint32_t{LATHE_REASON_UNSUPPORTED_OP});
  EXPECT_EQ(answer.text, "this plugin has no lathe.selective_scan");
  const lathe_value *codes = program.input("codes", LATHE_ELEMENT_E4M3, {LATHE_EXTENT_ROWS, 8});
  program.op("lathe.add", {{"lhs", codes}, {"rhs", codes}}, {LATHE_EXTENT_ROWS, 8});
  answer = ask(program.last_op(), "tiny");
  EXPECT_EQ(answer.reason, uint32_t{LATHE_REASON_UNSUPPORTED_TYPE});
  EXPECT_THAT(answer.text, HasSubstr("lhs is e4m3"));
}

TEST(Plugin, callsNonsenseAnError) {
  Program program;
  const lathe_value *x = program.input("x", LATHE_ELEMENT_F32, {LATHE_EXTENT_ROWS, 8});
  const lathe_value *w = program.weight("w", {4, 9}, wave(36, 1));
  program.op("lathe.linear", {{"x", x}, {"weight", w}}, {LATHE_EXTENT_ROWS, 4});
  EXPECT_THAT(ask(program.last_op(), "tiny").error, HasSubstr("x has 8 columns, its weight 9"));
}

} // namespace
} // namespace npu::plugin
