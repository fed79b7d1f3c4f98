// The tiles of AMX in plain C++, so that kernels for them are tested on every machine. Included by
// backends/x86/kernels/amx.h, inside its namespace. Never inlined: a kernel would be mostly them.

struct EmulatedTile {
  int64_t rows = 0, row_bytes = 0;
  char bytes[16][64] = {};
};
inline thread_local EmulatedTile emulated_tiles[8];

[[gnu::noinline]] inline void configureTiles(const TileConfig &config) {
  for (int i = 0; i < 8; ++i) {
    if (config.palette != 1 || config.rows[i] > 16 || config.row_bytes[i] > 64)
      __builtin_trap();
    emulated_tiles[i] = {config.rows[i], config.row_bytes[i], {}};
  }
}
[[gnu::noinline]] inline void releaseTiles() {
  for (EmulatedTile &tile : emulated_tiles)
    tile = {};
}
template <int Tile> [[gnu::noinline]] void zeroTile() {
  EmulatedTile &tile = emulated_tiles[Tile];
  tile = {tile.rows, tile.row_bytes, {}};
}
template <int Tile> [[gnu::noinline]] void loadTile(const void *from, int64_t stride) {
  EmulatedTile &tile = emulated_tiles[Tile];
  zeroTile<Tile>();
  for (int64_t r = 0; r < tile.rows; ++r)
    __builtin_memcpy(tile.bytes[r], static_cast<const char *>(from) + r * stride,
                     static_cast<size_t>(tile.row_bytes));
}
template <int Tile> [[gnu::noinline]] void storeTile(void *to, int64_t stride) {
  const EmulatedTile &tile = emulated_tiles[Tile];
  for (int64_t r = 0; r < tile.rows; ++r)
    __builtin_memcpy(static_cast<char *>(to) + r * stride, tile.bytes[r],
                     static_cast<size_t>(tile.row_bytes));
}

inline float bf16At(const char *from) {
  uint16_t bits;
  __builtin_memcpy(&bits, from, 2);
  uint32_t wide = static_cast<uint32_t>(bits) << 16;
  return (wide & 0x7f800000u) == 0 ? 0.0f : __builtin_bit_cast(float, wide);
}
template <int Sum, int A, int B> [[gnu::noinline]] void multiplyTiles() {
  EmulatedTile &sum = emulated_tiles[Sum];
  const EmulatedTile &a = emulated_tiles[A], &b = emulated_tiles[B];
  int64_t pairs = a.row_bytes / 4;
  if (sum.rows != a.rows || b.rows != pairs || sum.row_bytes != b.row_bytes || pairs == 0)
    __builtin_trap(); // the processor raises an exception
  for (int64_t r = 0; r < a.rows; ++r)
    for (int64_t n = 0; n < b.row_bytes / 4; ++n) {
      float total;
      __builtin_memcpy(&total, sum.bytes[r] + n * 4, 4);
      for (int64_t k = 0; k < pairs; ++k)
        for (int64_t i = 0; i < 4; i += 2)
          total =
              __builtin_fmaf(bf16At(a.bytes[r] + k * 4 + i), bf16At(b.bytes[k] + n * 4 + i), total);
      __builtin_memcpy(sum.bytes[r] + n * 4, &total, 4);
    }
}
