// Every number of the cost models, with its unit and where it comes from. The rates are those of a
// small machine, two cores of a Zen 3 with AVX2, as measured with loops of our own. Choices between
// forms of one computation depend on the ratio of the rates more than on either; times are for
// people.
#pragma once

#include <cstdint>

namespace lathe::passes::cost {

inline constexpr double kReadRate = 22.5e9; // bytes/s, plain reads of memory, both cores
inline constexpr double kFlopRate = 130e9;  // FLOP/s, f32 multiply-add out of registers, both cores

// tokens that a row is expected to see: a conversation of some turns. A choice that depends on it
// changes its mind slowly (latent attention: between 157 and 171 rows from here to infinity).
inline constexpr int64_t kExpectedContext = 2048;

// rows that a prefill step takes where nobody says otherwise: above 171, from where on materialised
// latent attention is the cheaper form for DeepSeek's heads however long the context, and few
// enough for the results of a layer to stay in a cache.
inline constexpr int64_t kPrefillChunk = 256;

} // namespace lathe::passes::cost
