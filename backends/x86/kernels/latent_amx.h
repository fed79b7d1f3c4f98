// Latent attention on AMX, which multiplies bf16. An f32 is three bf16 terms exactly
// (bf16_terms.h), so with a cache of bf16 scores are three products of tiles, latents with each
// term of the queries, and sums are three, each term of the probabilities with latents: as exact
// as f32. Of two f32 operands six of nine products are made. The three left out are at most 2^-22,
// 2^-22 and 2^-30 of |x y|, since a cut leaves less than 2^-7 of what was there: together less than
// 4 units of f32's rounding, less than a chain of some sums in f32 may lose.
//
// Scores are K Q^T: rows of latents are rows of A as they lie, queries are cut once for all pieces
// that a thread takes together. Sums are P V: V takes a pairing of two keys' rows, P a
// transposition of 16 x 16.
//
// Bound for 16 heads, rank 512 and rope 64, of 64 keys: 72 + 64 products of tiles of 16 cycles a
// term: 6528 cycles of a bf16 cache, 13056 of an f32 one; pairing f32 latents takes 7 instructions
// for each 16 values, for scores and again for sums, 15200 cycles at two instructions a cycle, and
// one shuffle for 32 values of bf16. The latents are 74 and 147 KB: at 15 GB/s a core and 3.8 GHz
// 18700 and 37400 cycles, so that memory is the limit. Blocks of 128 keys of
// bf16 were slower, 34 against 28 ms; why is not known.
#pragma once

#include "backends/x86/kernels/amx.h"
#include "backends/x86/kernels/latent.h"
#include "backends/x86/kernels/paired_terms.h"

#if LATHE_X86_AMX
namespace lathe::x86 {

constexpr int64_t tail_keys = 32; // of the last blocks, zeros behind the last key

// Asks for the latents of the next block, some lines at a time between products, so that memory
// works all the time: some dozen lines at once would fill the core's buffers and stop it. Asking
// beyond the last block does no harm.
struct Ahead {
  const char *at;

  LATHE_INLINE void ask(int64_t lines) {
    for (int64_t line = 0; line < lines; ++line)
      __builtin_prefetch(at + line * 64, 0, 2);
    at += lines * 64;
  }
};

// Terms: of a latent, all_terms of f32 and 1 of bf16.
template <int Terms> class LatentAmx {
  static constexpr int ring = 4, lead = 2; // even: two units are the halves of a piece's columns
  static constexpr int64_t unit_bytes = Terms * amx_tile_bytes;
  static constexpr int64_t element_bytes = Terms == 1 ? 2 : 4;
  // Lines of the next block that are asked for at each unit of 16 keys' scores: half of them.
  static constexpr int64_t score_lines = 4 * element_bytes;

public:
  static constexpr int64_t memoryFloats(const LatentCacheParams &c) {
    int64_t tiles = (latentPieces(c) + 2) * all_terms + ring * Terms;
    return (tiles * amx_tile_bytes +
            latentPieces(c) * latent_columns * element_bytes * blockKeys(c)) /
           4;
  }

  LATHE_INLINE LatentAmx(const LatentCacheParams &c, float *memory)
      : c_(c), queries_(reinterpret_cast<char *>(memory)),
        units_(queries_ + latentPieces(c) * all_terms * amx_tile_bytes),
        p_(units_ + ring * unit_bytes), copies_(p_ + 2 * all_terms * amx_tile_bytes) {}

  LATHE_INLINE void attend(const LatentQueries &q, const LatentRun &run, float scale,
                           const LatentState &state) {
    TileConfig config;
    config.set(0, 7, 16);
    configureTiles(config);
    int64_t start = run.begin;
    for (; start + 64 <= run.end; start += 64)
      attendBlock<4>(q, asIs(run.latents, start, 64), run, start, scale, state);
    for (; start < run.end; start += tail_keys)
      attendBlock<2>(q, copied(run.latents, start, smaller(tail_keys, run.end - start)), run, start,
                     scale, state);
    releaseTiles();
    if (Terms == 1)
      sortColumns(state);
  }

  // Queries as B: a row is the pairs of all 16 queries. In a bf16 cache a dword is the columns j
  // and j + 8 of 16; pairs of f32 are j and j + 16 of 32.
  LATHE_INLINE void takeQueries(const LatentQueries &q) {
    int64_t width = c_.kv_lora_rank + c_.rope_dim;
    for (int64_t step = 0; step < latentPieces(c_); ++step) {
      f32x16 low[16] = {}, high[16] = {};
      for (int64_t i = 0; i < q.count; ++i)
        takeColumns(q.query[i] + step * 32, width - step * 32, low[i], high[i]);
      storeTransposedPairs(low, high, queries_ + step * all_terms * amx_tile_bytes);
    }
  }

private:
  // Blocks can be read where they lie, but for f16 and the last; there is room for copies of those.
  static constexpr int64_t blockKeys(const LatentCacheParams &c) {
    return c.format == Format::f16 ? 64 : tail_keys;
  }
  LATHE_INLINE const char *asIs(const char *latents, int64_t start, int64_t keys) {
    return c_.format == Format::f16 ? copied(latents, start, keys)
                                    : latents + start * latentBytes(c_);
  }
  LATHE_INLINE const char *copied(const char *latents, int64_t start, int64_t keys) {
    __builtin_memset(copies_, 0,
                     static_cast<size_t>(roundUp(keys, tail_keys) * latentPieces(c_) *
                                         latent_columns * element_bytes));
    for (int64_t key = 0; key < keys; ++key)
      for (int64_t piece = 0; piece < latentPieces(c_); ++piece) {
        const char *from = latents + latentPlace(c_, start + key, piece) * formatBytes(c_.format);
        char *to = copies_ + latentPlace(c_, key, piece) * element_bytes;
        if (c_.format != Format::f16) {
          __builtin_memcpy(to, from, latent_columns * element_bytes);
        } else {
          store(to, decode(from, Format::f16));
          store(to + 64, decode(from + 32, Format::f16));
        }
      }
    return copies_;
  }
  // 16 keys and 32 columns of a block.
  LATHE_INLINE const char *pieceAt(const char *block, int64_t keys, int64_t piece) {
    return block + latentPlace(c_, keys * latent_block, piece) * element_bytes;
  }

  LATHE_INLINE void takeColumns(const float *query, int64_t left, f32x16 &low, f32x16 &high) {
    f32x16 a = loadSome(query, left), b = left > 16 ? loadSome(query + 16, left - 16) : f32x16{};
    if (Terms > 1) {
      low = a;
      high = b;
    } else {
      low = __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
      high = __builtin_shufflevector(a, b, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30,
                                     31);
    }
  }

  // Rows i and i + 16 of 32 are the pair i: what is summed over along A's rows.
  LATHE_INLINE void storeTransposedPairs(f32x16 (&low)[16], f32x16 (&high)[16], char *out) {
    for (int term = 0; term < all_terms; ++term) {
      u32x16 rows[16];
      for (int i = 0; i < 16; ++i) {
        rows[i] = pairUpper(low[i], high[i]);
        low[i] = belowBf16(low[i]);
        high[i] = belowBf16(high[i]);
      }
      transpose16(rows);
      for (int i = 0; i < 16; ++i)
        store(out + term * amx_tile_bytes + i * tile_row_bytes, rows[i]);
    }
  }

  template <int Tiles>
  LATHE_INLINE void attendBlock(const LatentQueries &q, const char *block, const LatentRun &run,
                                int64_t start, float scale, const LatentState &state) {
    alignas(64) float scores[Tiles * 16 * 16];
    int64_t keys = smaller<int64_t>(Tiles * 16, run.end - start);
    int64_t next = roundUp(smaller<int64_t>(start + 64, run.live), latent_block);
    Ahead ahead = {run.latents + next * latentBytes(c_)};
    scoresOf<Tiles>(block, scores, ahead);
    f32x16 shrink = latentProbabilities(scores, keys, start, q.last, scale, state);
    for (int64_t key = keys; key < Tiles * 16; ++key)
      store16(scores + key * 16, f32x16{});
    shrinkRows(state.sums, sumStride(c_.kv_lora_rank), sumStride(c_.kv_lora_rank), shrink);
    takeProbabilities<Tiles / 2>(scores);
    int64_t pieces = ceilDiv(c_.kv_lora_rank, latent_columns);
    sumsOf<Tiles / 2, 2>(block, 0, pieces / 2 * 2, state, ahead);
    sumsOf<Tiles / 2, 1>(block, pieces / 2 * 2, pieces, state, ahead);
  }

  template <int Steps> LATHE_INLINE void takeProbabilities(const float *p) {
    for (int step = 0; step < Steps; ++step) {
      f32x16 low[16], high[16];
      for (int i = 0; i < 16; ++i) {
        low[i] = load16(p + (step * 32 + i) * 16);
        high[i] = load16(p + (step * 32 + 16 + i) * 16);
      }
      storeTransposedPairs(low, high, p_ + step * all_terms * amx_tile_bytes);
    }
  }

  // scores[16 Tiles keys][16 queries]. A unit is a step of 16 keys.
  template <int Tiles> LATHE_INLINE void scoresOf(const char *block, float *scores, Ahead &ahead) {
    int64_t units = latentPieces(c_) * Tiles;
    auto make = [&](int64_t unit) LATHE_BODY {
      if (Terms > 1 && unit < units)
        pairKeys(pieceAt(block, unit % Tiles, unit / Tiles), unitAt(unit), ahead);
    };
    eachNumber<0, Tiles>([&]<int I>() LATHE_BODY { zeroTile<I>(); });
    for (int unit = 0; unit < lead; ++unit)
      make(unit);
    for (int64_t step = 0; step < latentPieces(c_); ++step) {
      loadTerms(queries_ + step * all_terms * amx_tile_bytes);
      eachNumber<0, Tiles>([&]<int I>() LATHE_BODY {
        int64_t unit = step * Tiles + I;
        make(unit + lead);
        eachNumber<0, Terms>([&]<int Term>() LATHE_BODY {
          if (Terms > 1)
            loadTile<7>(unitAt(unit) + Term * amx_tile_bytes, tile_row_bytes);
          else
            loadTile<7>(pieceAt(block, I, step), tile_row_bytes);
          eachNumber<0, all_terms - Term>([&]<int Other>()
                                              LATHE_BODY { multiplyTiles<I, 7, 4 + Other>(); });
        });
        if (Terms == 1)
          ahead.ask(score_lines);
      });
    }
    eachNumber<0, Tiles>([&]<int I>()
                             LATHE_BODY { storeTile<I>(scores + I * 256, tile_row_bytes); });
  }

  LATHE_INLINE void loadTerms(const char *terms) {
    loadTile<4>(terms, tile_row_bytes);
    loadTile<5>(terms + amx_tile_bytes, tile_row_bytes);
    loadTile<6>(terms + 2 * amx_tile_bytes, tile_row_bytes);
  }
  LATHE_INLINE char *unitAt(int64_t unit) { return units_ + unit % ring * unit_bytes; }

  // A piece as A.
  LATHE_INLINE void pairKeys(const char *piece, char *out, Ahead &ahead) {
    for (int64_t key = 0; key < 16; ++key) {
      storePairs(load<f32x16>(piece + key * 128), load<f32x16>(piece + key * 128 + 64),
                 out + key * tile_row_bytes, amx_tile_bytes);
      ahead.ask(score_lines / 16);
    }
  }

  // sums[16][columns of the pieces from `piece` to `end`] += p latents, over 32 Steps keys; Pieces
  // at a time. A unit is 32 keys of 16 columns; the two of a piece are made together.
  template <int Steps, int Pieces>
  LATHE_INLINE void sumsOf(const char *block, int64_t piece, int64_t end, const LatentState &state,
                           Ahead &ahead) {
    int64_t stride = sumStride(c_.kv_lora_rank) * 4, made = 0, used = 0;
    int64_t pairs = (end - piece) * Steps, first = piece;
    auto make = [&]() LATHE_BODY {
      if (made < pairs)
        pairValues(block, made / Pieces % Steps * 2,
                   first + made / (Steps * Pieces) * Pieces + made % Pieces, unitAt(2 * made),
                   ahead);
      ++made;
    };
    make();
    for (; piece < end; piece += Pieces) {
      float *sums = state.sums + piece * latent_columns;
      eachNumber<0, 2 * Pieces>([&]<int I>() LATHE_BODY { loadTile<I>(sums + I * 16, stride); });
      for (int step = 0; step < Steps; ++step) {
        loadTerms(p_ + step * all_terms * amx_tile_bytes);
        eachNumber<0, Pieces>([&]<int Pair>() LATHE_BODY {
          make();
          eachNumber<2 * Pair, 2 * Pair + 2>(
              [&]<int I>() LATHE_BODY { addUnit<I>(unitAt(2 * used + I % 2)); });
          ++used;
        });
      }
      eachNumber<0, 2 * Pieces>([&]<int I>() LATHE_BODY { storeTile<I>(sums + I * 16, stride); });
    }
  }

  // The sums of tile I += p latents.
  template <int I> LATHE_INLINE void addUnit(const char *unit) {
    eachNumber<0, Terms>([&]<int Term>() LATHE_BODY {
      loadTile<7>(unit + Term * amx_tile_bytes, tile_row_bytes);
      eachNumber<0, all_terms - Term>([&]<int Other>()
                                          LATHE_BODY { multiplyTiles<I, 4 + Other, 7>(); });
    });
  }

  // A piece's columns of 32 keys as two units of B: the pairs are keys i and i + 16. Of a bf16
  // cache two shuffles do that for 32 columns, which leave them in an order of their own
  // (sortColumns).
  LATHE_INLINE void pairValues(const char *block, int64_t keys, int64_t piece, char *out,
                               Ahead &ahead) {
    const char *low = pieceAt(block, keys, piece), *high = pieceAt(block, keys + 1, piece);
    int64_t row_bytes = latent_columns * element_bytes;
    for (int64_t i = 0; i < 16; ++i) {
      const char *a = low + i * row_bytes, *b = high + i * row_bytes;
      char *to = out + i * tile_row_bytes;
      if (Terms > 1) {
        storePairs(load<f32x16>(a), load<f32x16>(b), to, amx_tile_bytes);
        storePairs(load<f32x16>(a + 64), load<f32x16>(b + 64), to + unit_bytes, amx_tile_bytes);
      } else {
        store(to, interleaveLow(load<u16x32>(a), load<u16x32>(b)));
        store(to + unit_bytes, interleaveHigh(load<u16x32>(a), load<u16x32>(b)));
      }
      ahead.ask(value_lines_ / 16 + (i < value_lines_ % 16));
    }
  }

  // Sums of a bf16 cache in the order of columns: what a dword of its pieces and interleaving make
  // of it is undone.
  LATHE_INLINE void sortColumns(const LatentState &state) {
    for (int64_t i = 0; i < latent_queries; ++i)
      for (int64_t j = 0; j < c_.kv_lora_rank; j += latent_columns) {
        float *low = state.sums + i * sumStride(c_.kv_lora_rank) + j, *high = low + 16;
        f32x16 a = load16(low), b = load16(high);
        store16(low, __builtin_shufflevector(a, b, 0, 2, 16, 18, 4, 6, 20, 22, 1, 3, 17, 19, 5, 7,
                                             21, 23));
        store16(high, __builtin_shufflevector(a, b, 8, 10, 24, 26, 12, 14, 28, 30, 9, 11, 25, 27,
                                              13, 15, 29, 31));
      }
  }

  const LatentCacheParams &c_;
  // The other half, at each pair of units of values of a block of 64 keys.
  int64_t value_lines_ =
      ceilDiv(latentPieces(c_) * 4 * score_lines, 2 * ceilDiv(c_.kv_lora_rank, latent_columns));
  char *queries_; // tiles [step][term]
  char *units_;   // a ring of units [term]: made `lead` units before they are multiplied, for
                  // stores take a while to reach L1 and tiles are loaded from there
  char *p_;       // tiles [32 keys][term]
  char *copies_;  // rows
};

} // namespace lathe::x86
#endif
