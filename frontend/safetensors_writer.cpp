#include "frontend/safetensors_writer.h"

#include <cstring>
#include <set>

#include "absl/strings/str_join.h"
#include <nlohmann/json.hpp>

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

absl::StatusOr<uint64_t> byteSize(const TensorSpec &spec, absl::string_view path) {
  int64_t size = bytesPerElement(spec.dtype);
  for (int64_t extent : spec.shape)
    if (extent < 0 || __builtin_mul_overflow(size, extent, &size))
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor ", quotedName(spec.name),
                       ": an extent is negative or the size overflows"));
  return static_cast<uint64_t>(size);
}

std::string jsonText(const nlohmann::json &json) {
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

// "NAME":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]}
std::string headerEntry(const TensorSpec &spec, uint64_t begin, uint64_t end) {
  return absl::StrCat(jsonText(spec.name), ":{\"dtype\":\"", name(spec.dtype), "\",\"shape\":[",
                      absl::StrJoin(spec.shape, ","), "],\"data_offsets\":[", begin, ",", end,
                      "]}");
}

} // namespace

absl::StatusOr<SafetensorsWriter>
SafetensorsWriter::create(const std::string &path, const std::vector<TensorSpec> &tensors,
                          const std::map<std::string, std::string> &metadata) {
  std::vector<std::string> entries;
  if (!metadata.empty())
    entries.push_back(absl::StrCat("\"__metadata__\":", jsonText(metadata)));
  std::set<std::string> names = {"__metadata__"};
  uint64_t end = 0;
  for (const TensorSpec &spec : tensors) {
    if (!names.insert(spec.name).second)
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor ", quotedName(spec.name), " would be written twice"));
    LATHE_ASSIGN_OR_RETURN(uint64_t size, byteSize(spec, path));
    uint64_t begin = end;
    if (__builtin_add_overflow(begin, size, &end))
      return absl::InvalidArgumentError(absl::StrCat(path, ": the size of all tensors overflows"));
    entries.push_back(headerEntry(spec, begin, end));
  }
  std::string header = absl::StrCat("{", absl::StrJoin(entries, ","), "}");
  header.append((8 - header.size() % 8) % 8, ' '); // the data begins at a multiple of 8
  LATHE_ASSIGN_OR_RETURN(FileWriter file, FileWriter::create(path));
  uint64_t length = header.size();
  LATHE_RETURN_IF_ERROR(file.write(&length, sizeof length));
  LATHE_RETURN_IF_ERROR(file.write(header.data(), header.size()));
  return SafetensorsWriter(std::move(file), end);
}

absl::Status SafetensorsWriter::append(absl::Span<const uint8_t> bytes) {
  if (bytes.size() > missing_)
    return absl::FailedPreconditionError(absl::StrCat(file_.partialPath(), ": ", bytes.size(),
                                                      " bytes of data given where ", missing_,
                                                      " are left to write"));
  missing_ -= bytes.size();
  return file_.write(bytes.data(), bytes.size());
}

absl::Status SafetensorsWriter::commit() {
  if (missing_ > 0)
    return absl::FailedPreconditionError(
        absl::StrCat(file_.partialPath(), ": ", missing_, " bytes of data were not given"));
  return file_.commit();
}

absl::Status writeSafetensors(const std::string &path, const std::vector<TensorData> &tensors,
                              const std::map<std::string, std::string> &metadata) {
  std::vector<TensorSpec> specs;
  for (const TensorData &tensor : tensors) {
    LATHE_ASSIGN_OR_RETURN(uint64_t size, byteSize(tensor.spec, path));
    if (size != tensor.bytes.size())
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor ", quotedName(tensor.spec.name), ": ", tensor.bytes.size(),
                       " bytes given, its shape takes ", size));
    specs.push_back(tensor.spec);
  }
  LATHE_ASSIGN_OR_RETURN(SafetensorsWriter writer,
                         SafetensorsWriter::create(path, specs, metadata));
  for (const TensorData &tensor : tensors)
    LATHE_RETURN_IF_ERROR(writer.append(tensor.bytes));
  return writer.commit();
}

} // namespace lathe::frontend
