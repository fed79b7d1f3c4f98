#include "backends/x86/kernels/rows.h"

#include "backends/x86/kernels/function.h"
#include "backends/x86/kernels/number.h"
#include "backends/x86/kernels/row_loop.h"
#include "backends/x86/kernels/stored_rows.h"

using namespace lathe::x86;

static LATHE_INLINE float halfElement(uint16_t bits) {
  return static_cast<float>(__builtin_bit_cast(_Float16, bits));
}

// A float or a byte of codes. e4m3 as f16 bits is the number times 2^-8.
static LATHE_INLINE float element(const char *code, int64_t format) {
  uint16_t bits = formatBytes(format) == 1 ? static_cast<uint8_t>(*code) : load<uint16_t>(code);
  switch (format) {
  case Format::f32: return load<float>(code);
  case Format::bf16: return __builtin_bit_cast(float, static_cast<uint32_t>(bits) << 16);
  case Format::f16: return halfElement(bits);
  case Format::e4m3:
    return halfElement(static_cast<uint16_t>((bits & 0x80) << 8 | (bits & 0x7f) << 7)) * 256.0f;
  case Format::i8: return static_cast<int8_t>(bits);
  default: return halfElement(static_cast<uint16_t>(bits << 8));
  }
}

static LATHE_INLINE float nibbleElement(const char *word, int64_t index) {
  return static_cast<float>(static_cast<int32_t>(load<uint32_t>(word) >> 4 * index & 15) - 8);
}

// Column j of row `token` of a tile16 table.
static LATHE_INLINE float tiledElement(const char *table, const WeightParams &w, int64_t token,
                                       int64_t j) {
  const char *tile = table + token / 16 * w.tile_bytes;
  int64_t lane = token % 16, place = j * 16 + lanePlace(w.format, lane);
  float value = w.format == Format::i4
                    ? nibbleElement(tile + j / nibbles * 64 + lane * 4, j % nibbles)
                    : element(tile + place * formatBytes(w.format), w.format);
  return w.scale_mode == ScaleMode::none ? value : value * scaleAt(tile, w, j, lane);
}

LATHE_X86_DEFINE(embedding)
(const Frame *frame, const int64_t *operands, const EmbeddingParams *params, int64_t begin,
 int64_t end) {
  const EmbeddingParams &p = *params;
  const char *table = resolve<char>(frame, operands[EmbeddingOperand::table]);
  float *result = resolve<float>(frame, operands[EmbeddingOperand::result]);
  const int32_t *tokens = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::tokens]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    const char *row = table + tokens[t] * p.table.k * formatBytes(p.table.format);
    for (int64_t j = 0; j < p.table.k; ++j)
      result[t * p.result_stride + j] =
          p.tiled ? tiledElement(table, p.table, tokens[t], j)
                  : element(row + j * formatBytes(p.table.format), p.table.format);
  });
}

LATHE_X86_DEFINE(select_rows)
(const Frame *frame, const int64_t *operands, const SelectRowsParams *params, int64_t begin,
 int64_t end) {
  const SelectRowsParams &p = *params;
  const float *input = resolve<float>(frame, operands[SelectRowsOperand::input]);
  float *result = resolve<float>(frame, operands[SelectRowsOperand::result]);
  const int32_t *wanted = reinterpret_cast<const int32_t *>(frame->buffers[Buffer::output_rows]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    __builtin_memcpy(result + t * p.result_stride, input + wanted[t] * p.input_stride,
                     static_cast<size_t>(p.columns) * 4);
  });
}

LATHE_X86_DEFINE(copy_columns)
(const Frame *frame, const int64_t *operands, const CopyColumnsParams *params, int64_t begin,
 int64_t end) {
  const CopyColumnsParams &p = *params;
  const float *input = resolve<float>(frame, operands[CopyColumnsOperand::input]);
  float *result = resolve<float>(frame, operands[CopyColumnsOperand::result]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    for (int64_t b = 0; b < p.batch; ++b)
      __builtin_memcpy(result + t * p.result_stride + b * p.result_batch_stride,
                       input + t * p.input_stride + b * p.input_batch_stride,
                       static_cast<size_t>(p.columns) * 4);
  });
}

LATHE_X86_DEFINE(add)
(const Frame *frame, const int64_t *operands, const AddParams *params, int64_t begin, int64_t end) {
  const AddParams &p = *params;
  const float *lhs = resolve<float>(frame, operands[AddOperand::lhs]);
  const float *rhs = resolve<float>(frame, operands[AddOperand::rhs]);
  float *result = resolve<float>(frame, operands[AddOperand::result]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    eachVector(p.columns, [&](int64_t j, int64_t here) LATHE_BODY {
      storeSome(result + t * p.result_stride + j,
                loadSome(lhs + t * p.lhs_stride + j, here) +
                    loadSome(rhs + t * p.rhs_stride + j, here),
                here);
    });
  });
}

LATHE_X86_DEFINE(scale)
(const Frame *frame, const int64_t *operands, const ScaleParams *params, int64_t begin,
 int64_t end) {
  const ScaleParams &p = *params;
  const float *input = resolve<float>(frame, operands[ScaleOperand::input]);
  float *result = resolve<float>(frame, operands[ScaleOperand::result]);
  float factor = bitsFloat(p.factor);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    eachVector(p.columns, [&](int64_t j, int64_t here) LATHE_BODY {
      storeSome(result + t * p.result_stride + j,
                loadSome(input + t * p.input_stride + j, here) * factor, here);
    });
  });
}

LATHE_X86_DEFINE(swiglu)
(const Frame *frame, const int64_t *operands, const SwigluParams *params, int64_t begin,
 int64_t end) {
  const SwigluParams &p = *params;
  const float *gate = resolve<float>(frame, operands[SwigluOperand::gate]);
  const float *up = resolve<float>(frame, operands[SwigluOperand::up]);
  float *result = resolve<float>(frame, operands[SwigluOperand::result]);
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    eachVector(p.columns, [&](int64_t j, int64_t here) LATHE_BODY {
      storeSome(result + t * p.result_stride + j,
                gated(loadSome(gate + t * p.gate_stride + j, here),
                      loadSome(up + t * p.up_stride + j, here)),
                here);
    });
  });
}

LATHE_X86_DEFINE(rms_norm)
(const Frame *frame, const int64_t *operands, const RmsNormParams *params, int64_t begin,
 int64_t end) {
  const RmsNormParams &p = *params;
  const float *input = resolve<float>(frame, operands[RmsNormOperand::input]);
  const float *scale = resolve<float>(frame, operands[RmsNormOperand::scale]);
  char *result = resolve<char>(frame, operands[RmsNormOperand::result]);
  StoredRows stored = {result, p.result_in, p.result_stride, p.groups * p.group_size};
  eachRow(frame, p.split, begin, end, [&](int64_t t) LATHE_BODY {
    for (int64_t g = 0; g < p.groups; ++g) {
      const float *from = input + t * p.input_stride + g * p.group_size;
      float *to = reinterpret_cast<float *>(result) + t * p.result_stride + g * p.group_size;
      f32x16 squares = {};
      eachVector(p.group_size, [&](int64_t j, int64_t here) LATHE_BODY {
        f32x16 x = loadSome(from + j, here);
        squares = fma(x, x, squares);
      });
      float mean = sumLanes(squares) / static_cast<float>(p.group_size);
      float inverse = 1.0f / __builtin_sqrtf(mean + bitsFloat(p.epsilon));
      eachVector(p.group_size, [&](int64_t j, int64_t here) LATHE_BODY {
        f32x16 value = loadSome(from + j, here) * inverse * loadSome(scale + j, here);
        if (p.result_in == RowsIn::f32)
          storeSome(to + j, value, here);
        else
          stored.store16At(t, j, value);
      });
    }
  });
}
