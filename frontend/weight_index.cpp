#include "frontend/weight_index.h"

#include <algorithm>
#include <map>

#include "absl/strings/match.h"

#include "base/file.h"
#include "base/status.h"
#include "frontend/json_events.h"
#include "frontend/quote.h"

namespace lathe::frontend {
namespace {

constexpr char kSingleFile[] = "model.safetensors";
constexpr char kIndexFile[] = "model.safetensors.index.json";
constexpr uint64_t kMaxIndex = 256u << 20;

absl::Status checkShardName(absl::string_view shard) {
  auto error = [&](absl::string_view message) {
    return absl::InvalidArgumentError(absl::StrCat("shard ", quotedName(shard), " ", message));
  };
  if (shard.find_first_of(absl::string_view("/\\\0", 3)) != absl::string_view::npos ||
      shard == "." || shard == "..")
    return error("should be the plain name of a file in the same folder");
  if (!absl::EndsWith(shard, ".safetensors"))
    return error("should be a .safetensors file");
  return absl::OkStatus();
}

// {"metadata": anything, "weight_map": {tensor: shard}}
class IndexReader : public JsonEvents {
public:
  explicit IndexReader(absl::string_view source) : source_(source) {}

  absl::Status onObject(int depth) override {
    if (depth == 1 && section_ == "weight_map")
      had_map_ = true;
    if (depth == 2 && inMap())
      return unexpected("an object");
    return absl::OkStatus();
  }
  absl::Status onArray(int depth) override {
    if (depth == 0 || inMap())
      return unexpected("a list");
    return absl::OkStatus();
  }
  absl::Status onKey(std::string &key, int depth) override {
    if (depth == 1) {
      if (key == "weight_map" && had_map_)
        return error("the key 'weight_map' stands twice");
      section_ = key;
    } else if (depth == 2 && inMap())
      tensor_ = key;
    return absl::OkStatus();
  }
  absl::Status onString(std::string &shard, int depth) override {
    if (depth == 0 || (depth == 1 && inMap()))
      return unexpected("a string");
    if (!inMap())
      return absl::OkStatus();
    auto [at, added] = shards_.emplace(shard, static_cast<uint32_t>(shards_.size()));
    if (added)
      LATHE_RETURN_IF_ERROR(prefixed(
          checkShardName(shard), absl::StrCat(source_, ": tensor ", quotedName(tensor_), ": ")));
    tensors_.emplace_back(tensor_, at->second);
    return absl::OkStatus();
  }
  absl::Status onUnsigned(uint64_t, int depth) override { return scalar("a number", depth); }
  absl::Status onOther(absl::string_view what, int depth) override { return scalar(what, depth); }

  absl::Status unexpected(absl::string_view what) override {
    return error(absl::StrCat("has ", what, " in an unexpected place",
                              tensor_.empty() ? "" : absl::StrCat(", after ", quotedName(tensor_)),
                              "; 'weight_map' should map tensor names to file names"));
  }

  absl::StatusOr<WeightIndex> finish() {
    if (!had_map_)
      return error("lacks the object 'weight_map'");
    if (tensors_.empty())
      return error("'weight_map' names no tensor");
    WeightIndex index;
    index.source = std::string(source_);
    index.sharded = true;
    std::vector<uint32_t> position(shards_.size());
    for (const auto &[shard, number] : shards_) {
      position[number] = static_cast<uint32_t>(index.files.size());
      index.files.push_back(shard);
    }
    for (auto &[tensor, number] : tensors_)
      number = position[number];
    std::sort(tensors_.begin(), tensors_.end());
    index.tensors = std::move(tensors_);
    LATHE_RETURN_IF_ERROR(checkNamedOnce(index));
    return index;
  }

private:
  bool inMap() const { return section_ == "weight_map"; }
  absl::Status scalar(absl::string_view what, int depth) {
    return depth == 0 || inMap() ? unexpected(what) : absl::OkStatus();
  }
  absl::Status error(absl::string_view message) const {
    return absl::InvalidArgumentError(absl::StrCat(source_, ": ", message));
  }
  absl::Status checkNamedOnce(const WeightIndex &index) const {
    auto twice =
        std::adjacent_find(index.tensors.begin(), index.tensors.end(),
                           [](const auto &a, const auto &b) { return a.first == b.first; });
    if (twice != index.tensors.end())
      return error(absl::StrCat("tensor ", quotedName(twice->first), " stands twice"));
    return absl::OkStatus();
  }

  absl::string_view source_;
  std::string section_, tensor_;
  bool had_map_ = false;
  std::map<std::string, uint32_t> shards_; // name -> order of appearance
  std::vector<std::pair<std::string, uint32_t>> tensors_;
};

} // namespace

absl::StatusOr<WeightIndex> parseWeightIndex(absl::string_view text, absl::string_view source) {
  IndexReader reader(source);
  LATHE_RETURN_IF_ERROR(parseJsonEvents(text, source, reader));
  return reader.finish();
}

absl::StatusOr<WeightIndex> findWeights(const std::string &folder) {
  std::string single = absl::StrCat(folder, "/", kSingleFile);
  std::string index_path = absl::StrCat(folder, "/", kIndexFile);
  bool has_single = fileExists(single);
  if (fileExists(index_path)) {
    LATHE_ASSIGN_OR_RETURN(std::string text, readTextFile(index_path, kMaxIndex));
    LATHE_ASSIGN_OR_RETURN(WeightIndex index, parseWeightIndex(text, index_path));
    bool names_single = std::binary_search(index.files.begin(), index.files.end(), kSingleFile);
    if (has_single && !names_single)
      return absl::InvalidArgumentError(
          absl::StrCat(index_path, ": a ", kSingleFile,
                       " that it does not name stands beside it; remove one of the two"));
    return index;
  }
  if (has_single)
    return WeightIndex{{kSingleFile}, {}, single, false};
  return absl::NotFoundError(absl::StrCat(folder, ": neither ", kSingleFile, " nor ", kIndexFile,
                                          " is there; weights are read from safetensors only "
                                          "(pytorch_model.bin is not read: convert it)"));
}

} // namespace lathe::frontend
