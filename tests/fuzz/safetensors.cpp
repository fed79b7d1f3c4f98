// Any bytes as a safetensors file; as its header, so that the length in front need not be guessed;
// and as an index of shards. What is read must lie in the file and agree with itself.
#include <cstdint>
#include <cstdlib>
#include <string>

#include "frontend/safetensors.h"
#include "frontend/weight_index.h"

using namespace lathe::frontend;

static void require(bool holds) {
  if (!holds)
    std::abort();
}

static void readFile(absl::Span<const uint8_t> file) {
  auto table = readSafetensorsTable(file, "fuzz.safetensors");
  if (!table.ok())
    return;
  uint64_t bytes = 0;
  for (const Tensor &tensor : table->tensors) {
    require(tensor.offset <= file.size() && tensor.bytes.size() <= file.size() - tensor.offset);
    require(tensor.bytes.size() ==
            static_cast<uint64_t>(elementCount(tensor)) * bytesPerElement(tensor.dtype));
    bytes += tensor.bytes.size();
  }
  require(bytes < file.size()); // they share none, and the header is none of theirs
}

static void readHeader(absl::string_view header) {
  const uint64_t data_bytes = 64;
  uint64_t length = header.size();
  std::string file(reinterpret_cast<const char *>(&length), sizeof length);
  file.append(header.data(), header.size());
  file.append(data_bytes, 'x');
  readFile({reinterpret_cast<const uint8_t *>(file.data()), file.size()});
}

static void readIndex(absl::string_view text) {
  auto index = parseWeightIndex(text, "fuzz.index.json");
  if (!index.ok())
    return;
  for (const auto &[tensor, file] : index->tensors)
    require(file < index->files.size());
  for (const std::string &file : index->files)
    require(file.find('/') == std::string::npos && file.find('\0') == std::string::npos);
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  absl::string_view text(reinterpret_cast<const char *>(data), size);
  readFile({data, size});
  readHeader(text);
  readIndex(text);
  return 0;
}
