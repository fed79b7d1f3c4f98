#include "frontend/safetensors.h"

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/status.h"
#include "frontend/json_events.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr uint64_t kMaxHeader = 100'000'000;
constexpr size_t kMaxRank = 16;
constexpr uint64_t kLengthBytes = 8;

// The header's JSON: depth 0 is the table, 1 an entry's value, 2 its fields, 3 list elements.
// While it runs, Tensor::bytes is empty and begin/end of the data lie in ranges_.
class HeaderReader : public JsonEvents {
public:
  HeaderReader(absl::string_view path, absl::Span<const uint8_t> data, uint64_t data_offset,
               SafetensorsTable &table)
      : path_(path), data_(data), data_offset_(data_offset), table_(table) {}

  absl::Status onObject(int depth) override {
    return depth <= 1 ? absl::OkStatus() : unexpected("an object");
  }

  absl::Status onKey(std::string &key, int depth) override {
    if (depth == 1) {
      in_metadata_ = key == "__metadata__";
      if (in_metadata_ && std::exchange(had_metadata_, true))
        return error("'__metadata__' stands twice in the header");
      entry_ = Entry();
      entry_.tensor.name = key;
      return absl::OkStatus();
    }
    field_ = key;
    if (in_metadata_)
      return absl::OkStatus();
    bool *seen = seenFlag(key);
    if (!seen)
      return entryError(absl::StrCat("has an unknown key ", quotedName(key)));
    if (std::exchange(*seen, true))
      return entryError(absl::StrCat("has the key '", key, "' twice"));
    return absl::OkStatus();
  }

  absl::Status onString(std::string &text, int depth) override {
    if (depth == 2 && in_metadata_) {
      if (!table_.metadata.emplace(field_, text).second)
        return error(absl::StrCat("'__metadata__' has the key ", quotedName(field_), " twice"));
      return absl::OkStatus();
    }
    if (depth != 2 || field_ != "dtype")
      return unexpected("a string");
    auto dtype = parseDType(text);
    if (!dtype.ok())
      return prefixed(dtype.status(), absl::StrCat(where(), ": "));
    entry_.tensor.dtype = *dtype;
    return absl::OkStatus();
  }

  absl::Status onArray(int depth) override {
    bool fits = depth == 2 && !in_metadata_ && (field_ == "shape" || field_ == "data_offsets");
    return fits ? absl::OkStatus() : unexpected("a list");
  }

  absl::Status onUnsigned(uint64_t value, int depth) override {
    if (depth != 3)
      return unexpected("a number");
    if (field_ == "data_offsets")
      return addOffset(value);
    if (value > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return entryError(absl::StrCat("shape has the extent ", value, ", more than an int64 holds"));
    if (entry_.tensor.shape.size() == kMaxRank)
      return entryError(absl::StrCat("shape has more than ", kMaxRank, " extents"));
    entry_.tensor.shape.push_back(static_cast<int64_t>(value));
    return absl::OkStatus();
  }

  absl::Status onObjectEnd(int depth) override {
    if (depth != 1 || in_metadata_)
      return absl::OkStatus();
    return finishEntry();
  }

  absl::Status unexpected(absl::string_view what) override {
    if (entry_.tensor.name.empty() && table_.tensors.empty())
      return error(absl::StrCat("the header has ", what, " where an object should be"));
    return entryError(absl::StrCat("has ", what, " in an unexpected place",
                                   field_.empty() ? "" : " after the key ",
                                   field_.empty() ? "" : quotedName(field_)));
  }

  // Begin and end of each tensor's data, in the order of the header.
  struct Range {
    uint64_t begin, end;
    size_t tensor;
  };
  std::vector<Range> &ranges() { return ranges_; }

private:
  struct Entry {
    Tensor tensor;
    bool has_dtype = false, has_shape = false, has_offsets = false;
    uint64_t offsets[2] = {0, 0};
    int offset_count = 0;
  };

  bool *seenFlag(absl::string_view key) {
    if (key == "dtype")
      return &entry_.has_dtype;
    if (key == "shape")
      return &entry_.has_shape;
    return key == "data_offsets" ? &entry_.has_offsets : nullptr;
  }

  std::string where() const {
    return absl::StrCat(path_, ": tensor ", quotedName(entry_.tensor.name));
  }
  absl::Status entryError(absl::string_view message) const {
    if (in_metadata_)
      return error(absl::StrCat("'__metadata__' ", message, "; it should map strings to strings"));
    return absl::InvalidArgumentError(absl::StrCat(where(), ": ", message));
  }
  absl::Status error(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat(path_, ": ", message));
  }

  absl::Status addOffset(uint64_t value) {
    if (entry_.offset_count == 2)
      return entryError("data_offsets has more than two numbers");
    entry_.offsets[entry_.offset_count++] = value;
    return absl::OkStatus();
  }

  absl::Status checkComplete() const {
    if (!entry_.has_dtype || !entry_.has_shape || !entry_.has_offsets)
      return entryError(absl::StrCat("lacks the key '",
                                     !entry_.has_dtype   ? "dtype"
                                     : !entry_.has_shape ? "shape"
                                                         : "data_offsets",
                                     "'"));
    if (entry_.offset_count != 2)
      return entryError("data_offsets should be two numbers");
    return absl::OkStatus();
  }

  absl::Status checkRange() const {
    auto [begin, end] = entry_.offsets;
    if (begin > end)
      return entryError(absl::StrCat("data_offsets begin at ", begin, " but end at ", end));
    if (end > data_.size())
      return entryError(absl::StrCat("data_offsets end at ", end, " but the file holds ",
                                     data_.size(), " bytes of data"));
    uint64_t size = bytesPerElement(entry_.tensor.dtype);
    for (int64_t extent : entry_.tensor.shape)
      if (__builtin_mul_overflow(size, static_cast<uint64_t>(extent), &size) ||
          size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
        return entryError(
            absl::StrCat("the size of shape ", shapeText(entry_.tensor.shape), " overflows"));
    if (size != end - begin)
      return entryError(absl::StrCat("data_offsets span ", end - begin, " bytes but ",
                                     name(entry_.tensor.dtype), " of shape ",
                                     shapeText(entry_.tensor.shape), " takes ", size));
    return absl::OkStatus();
  }

  absl::Status finishEntry() {
    LATHE_RETURN_IF_ERROR(checkComplete());
    LATHE_RETURN_IF_ERROR(checkRange());
    auto [begin, end] = entry_.offsets;
    entry_.tensor.bytes = data_.subspan(begin, end - begin);
    entry_.tensor.file = path_;
    entry_.tensor.offset = data_offset_ + begin;
    ranges_.push_back({begin, end, table_.tensors.size()});
    table_.tensors.push_back(std::move(entry_.tensor));
    field_.clear();
    return absl::OkStatus();
  }

  absl::string_view path_;
  absl::Span<const uint8_t> data_;
  uint64_t data_offset_;
  SafetensorsTable &table_;
  std::vector<Range> ranges_;
  Entry entry_;
  std::string field_;
  bool in_metadata_ = false, had_metadata_ = false;
};

using Range = HeaderReader::Range;

// Sorted by begin, each range must begin where the one before ended.
absl::Status checkTiling(std::vector<Range> ranges, const std::vector<Tensor> &tensors,
                         uint64_t data_size, absl::string_view path) {
  std::sort(ranges.begin(), ranges.end(), [](const Range &a, const Range &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  const Range *last = nullptr;
  for (const Range &range : ranges) {
    if (range.begin < covered)
      return absl::InvalidArgumentError(
          absl::StrCat(path, ": tensor ", quotedName(tensors[range.tensor].name),
                       ": data begins at ", range.begin, ", inside tensor ",
                       quotedName(tensors[last->tensor].name), ", which ends at ", covered));
    if (range.begin > covered)
      return absl::InvalidArgumentError(absl::StrCat(path, ": bytes ", covered, " to ", range.begin,
                                                     " of the data belong to no tensor"));
    covered = range.end;
    last = &range;
  }
  if (covered != data_size)
    return absl::InvalidArgumentError(absl::StrCat(path, ": the tensors end at byte ", covered,
                                                   " of the data, but the file holds ", data_size));
  return absl::OkStatus();
}

absl::Status sortByName(std::vector<Tensor> &tensors, absl::string_view path) {
  std::sort(tensors.begin(), tensors.end(),
            [](const Tensor &a, const Tensor &b) { return a.name < b.name; });
  auto twice =
      std::adjacent_find(tensors.begin(), tensors.end(),
                         [](const Tensor &a, const Tensor &b) { return a.name == b.name; });
  if (twice != tensors.end())
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": tensor ", quotedName(twice->name), " stands twice in the header"));
  return absl::OkStatus();
}

// The length of the JSON, checked against the file.
absl::StatusOr<uint64_t> headerLength(absl::Span<const uint8_t> file, absl::string_view path) {
  if (file.size() < kLengthBytes)
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": is ", file.size(), " bytes long, too short for a safetensors file"));
  uint64_t length = 0;
  std::memcpy(&length, file.data(), sizeof length);
  if (length > kMaxHeader)
    return absl::InvalidArgumentError(absl::StrCat(path, ": the header says it is ", length,
                                                   " bytes long, more than the ", kMaxHeader,
                                                   " that it may be; is this a safetensors file?"));
  if (length > file.size() - kLengthBytes)
    return absl::InvalidArgumentError(
        absl::StrCat(path, ": the header says it is ", length, " bytes long but the file has ",
                     file.size() - kLengthBytes, " bytes after its start"));
  return length;
}

} // namespace

absl::StatusOr<SafetensorsTable> readSafetensorsTable(absl::Span<const uint8_t> file,
                                                      absl::string_view path) {
  LATHE_ASSIGN_OR_RETURN(uint64_t length, headerLength(file, path));
  absl::string_view header(reinterpret_cast<const char *>(file.data()) + kLengthBytes, length);
  if (header.empty() || header[0] != '{')
    return absl::InvalidArgumentError(absl::StrCat(path, ": the header does not begin with '{'"));
  uint64_t data_offset = kLengthBytes + length;
  absl::Span<const uint8_t> data = file.subspan(data_offset);

  SafetensorsTable table;
  HeaderReader reader(path, data, data_offset, table);
  LATHE_RETURN_IF_ERROR(parseJsonEvents(header, path, reader, 4));
  LATHE_RETURN_IF_ERROR(checkTiling(std::move(reader.ranges()), table.tensors, data.size(), path));
  LATHE_RETURN_IF_ERROR(sortByName(table.tensors, path));
  return table;
}

absl::StatusOr<SafetensorsFile> SafetensorsFile::open(const std::string &path) {
  LATHE_ASSIGN_OR_RETURN(MappedFile mapped, MappedFile::open(path));
  SafetensorsFile file;
  file.file_ = std::make_unique<MappedFile>(std::move(mapped));
  LATHE_ASSIGN_OR_RETURN(file.table_,
                         readSafetensorsTable(file.file_->bytes(), file.file_->path()));
  return file;
}

const Tensor *SafetensorsFile::find(absl::string_view name) const {
  auto at = std::lower_bound(
      tensors().begin(), tensors().end(), name,
      [](const Tensor &tensor, absl::string_view wanted) { return tensor.name < wanted; });
  return at != tensors().end() && at->name == name ? &*at : nullptr;
}

} // namespace lathe::frontend
