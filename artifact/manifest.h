// What an artifact says about itself, as plain data. The file's form of it is manifest.fbs.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace lathe::artifact {

inline constexpr uint32_t kFormatMajor = 1; // a reader refuses another major
inline constexpr uint32_t kFormatMinor = 1; // a reader ignores what a newer minor added

// A run of bytes in the file, 4096-byte aligned. `digest` is XXH3-128 of its bytes.
struct Section {
  std::string name; // unique: "tokenizer.json", "ir.portable", "code.x86-64-v4", "weights.0", ...
  uint64_t offset = 0, size = 0; // bytes; offset from the start of the file
  std::array<uint8_t, 16> digest{};
};

// A weight as packed for a target: bytes [offset, offset + size) of the target's weights section.
struct PackedWeight {
  std::string name; // the IR's name of the weight, e.g. "model.layers.0.self_attn.kv_b_proj.weight"
  std::string layout; // e.g. "tile16xf8e4m3+scale128"
  uint64_t offset = 0, size = 0;
};

// A buffer that the runtime must provide to a step. `bytes` is for one step at max_rows.
enum class BufferKind : uint8_t {
  tokens,
  slots,
  positions,
  output_rows,
  logits,
  arena,
  weights,
  state,
  crossing // values on their way between devices; buffers of this kind may share bytes
};
struct Buffer {
  BufferKind kind = BufferKind::arena;
  uint64_t bytes = 0;
  uint32_t device = 0; // as Call::device; tokens to logits are device 0's
  uint64_t offset = 0; // into the memory of its kind on its device; 0 but for `crossing`
};

// Rows of bytes from one buffer to another (indices into Step::buffers) of another device.
enum class RowsOfCopy : uint8_t { one, rows, output_rows };
struct Copy {
  uint32_t from = 0, to = 0;
  uint64_t from_offset = 0, to_offset = 0; // of the first row
  uint64_t from_stride = 0, to_stride = 0; // from row to row
  uint64_t row_bytes = 0;
  RowsOfCopy rows = RowsOfCopy::one; // how many, times row_factor
  uint64_t row_factor = 1;
};

// One entry of a step program: makes the copies in their order, then runs `entry` of the device's
// code with these buffers (indices into Step::buffers) after the calls in `waits` (indices into
// Step::calls, all smaller than its own). Without an entry it only copies.
struct Call {
  uint32_t device = 0; // 0: the target's own; i + 1: that of Target::parts[i]
  std::string entry;
  std::vector<uint32_t> buffers, waits;
  std::vector<Copy> copies;
};

struct Step {
  std::string name; // "decode" (one row), "prefill" (1 to max_rows rows), perhaps "few" between
  uint32_t max_rows = 1;
  std::vector<Buffer> buffers;
  std::vector<Call> calls;
};

// Code of a placed model for one more device.
struct Part {
  std::string name; // "npu:ascend-910b"
  std::string compatibility, code_section, weights_section;
  std::vector<PackedWeight> weights;
};

// Code for one feature level, and what it needs.
struct Target {
  std::string name;          // "x86-64-v3", "x86-64-v4", "x86-amx", ...
  std::string compatibility; // judged without loading code: "arch=x86_64;features=avx2,fma,f16c"
  std::string code_section, weights_section;
  std::vector<PackedWeight> weights;
  std::vector<Step> steps;
  std::vector<Part> parts; // of a model on several devices: those beside the target's own
};

// One cache of one layer: `bytes_per_token` grow with the context, `bytes` is the whole of it.
struct StateEntry {
  std::string name; // "layers.0.latent", "layers.0.key_value"
  std::string type; // the IR's type, e.g. "!lathe.latent_cache<1x512x64xf32>"
  uint64_t bytes_per_token = 0, offset = 0, bytes = 0;
  uint64_t flops_per_key = 0; // of a decoded token, for each key that it sees here; 0: unknown
  uint64_t window = 0;        // keys that a token sees at most; 0: all
};

struct Manifest {
  std::string producer;    // "lathe 0.1.0"
  std::string family;      // "deepseek_v3"
  std::string model;       // the checkpoint folder's own name
  std::string activations; // "f32", "bf16", "w8a8"
  uint32_t vocab_size = 0, hidden_size = 0, num_layers = 0, max_context = 0, num_slots = 1;
  uint64_t parameters = 0; // weights counted in elements
  uint64_t active_weight_bytes =
      0; // packed bytes that one decoded token reads (routed experts: the chosen ones)
  int32_t bos_token_id = -1; // -1: none
  std::vector<int32_t> eos_token_ids;
  // Sampling defaults of generation_config.json; NaN or 0 where it says nothing.
  float temperature = 0, top_p = 0;
  int32_t top_k = 0;
  std::vector<Section> sections;
  std::vector<StateEntry> state;
  std::vector<Target> targets; // the best first
  std::string explain;         // JSON: what each layer got and why (lathe inspect --explain)
  uint64_t decode_flops = 0;   // of one decoded token beside those for keys; 0: unknown
};

} // namespace lathe::artifact
