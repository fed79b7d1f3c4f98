#include "frontend/checkpoint.h"

#include <algorithm>
#include <filesystem>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/match.h"

#include "base/status.h"
#include "frontend/quote.h"
#include "frontend/weight_index.h"

namespace lathe::frontend {
namespace {

constexpr uint64_t kMegabyte = 1u << 20;

absl::Status checkIsFolder(const std::string &path) {
  std::string lower = absl::AsciiStrToLower(path);
  for (absl::string_view other : {".gguf", ".onnx", ".xml"})
    if (absl::EndsWith(lower, other))
      return absl::UnimplementedError(absl::StrCat(path, ": ", other.substr(1),
                                                   " models are not yet supported; give a Hugging "
                                                   "Face folder (config.json, *.safetensors)"));
  std::error_code ignored;
  if (std::filesystem::is_directory(path, ignored))
    return absl::OkStatus();
  if (std::filesystem::exists(path, ignored))
    return absl::FailedPreconditionError(absl::StrCat(
        path, ": is a file; it should be a Hugging Face folder (config.json, *.safetensors)"));
  return absl::NotFoundError(absl::StrCat(path, ": no such folder"));
}

std::string lastComponent(const std::string &folder) {
  std::error_code error;
  std::filesystem::path full = std::filesystem::weakly_canonical(folder, error);
  if (error)
    full = folder;
  return full.filename().string();
}

absl::StatusOr<std::optional<std::string>> readOptional(const std::string &path, uint64_t limit) {
  if (!fileExists(path))
    return std::nullopt;
  LATHE_ASSIGN_OR_RETURN(std::string text, readTextFile(path, limit));
  return text;
}

bool byName(const Tensor &a, const Tensor &b) { return a.name < b.name; }

// Index and files must tell the same story, tensor by tensor; both are sorted by name.
absl::Status checkAgainstIndex(const WeightIndex &index, const std::vector<Tensor> &tensors) {
  size_t i = 0, t = 0;
  while (i < index.tensors.size() || t < tensors.size()) {
    bool index_first = t == tensors.size() ||
                       (i < index.tensors.size() && index.tensors[i].first < tensors[t].name);
    if (index_first)
      return absl::InvalidArgumentError(absl::StrCat(
          index.source, ": tensor ", quotedName(index.tensors[i].first), " should be in ",
          index.files[index.tensors[i].second], " but is not there"));
    if (i == index.tensors.size() || tensors[t].name < index.tensors[i].first)
      return absl::InvalidArgumentError(absl::StrCat(tensors[t].file, ": tensor ",
                                                     quotedName(tensors[t].name),
                                                     " is not named in ", index.source));
    const std::string &shard = index.files[index.tensors[i].second];
    if (!absl::EndsWith(tensors[t].file, absl::StrCat("/", shard)))
      return absl::InvalidArgumentError(absl::StrCat(index.source, ": tensor ",
                                                     quotedName(tensors[t].name), " should be in ",
                                                     shard, " but is in ", tensors[t].file));
    ++i, ++t;
  }
  return absl::OkStatus();
}

} // namespace

absl::StatusOr<Checkpoint> Checkpoint::open(const std::string &folder) {
  LATHE_RETURN_IF_ERROR(checkIsFolder(folder));
  Checkpoint checkpoint;
  checkpoint.folder_ = folder;
  while (checkpoint.folder_.size() > 1 && checkpoint.folder_.back() == '/')
    checkpoint.folder_.pop_back();
  checkpoint.name_ = lastComponent(checkpoint.folder_);
  LATHE_RETURN_IF_ERROR(checkpoint.readSmallFiles());
  LATHE_RETURN_IF_ERROR(checkpoint.config().status());
  LATHE_RETURN_IF_ERROR(checkpoint.openWeights());
  return checkpoint;
}

absl::Status Checkpoint::readSmallFiles() {
  auto path = [&](absl::string_view file) { return absl::StrCat(folder_, "/", file); };
  LATHE_ASSIGN_OR_RETURN(config_text_, readTextFile(path("config.json"), 4 * kMegabyte));
  LATHE_ASSIGN_OR_RETURN(tokenizer_, readOptional(path("tokenizer.json"), 256 * kMegabyte));
  LATHE_ASSIGN_OR_RETURN(tokenizer_config_,
                         readOptional(path("tokenizer_config.json"), 64 * kMegabyte));
  LATHE_ASSIGN_OR_RETURN(chat_template_, readOptional(path("chat_template.jinja"), 4 * kMegabyte));
  LATHE_ASSIGN_OR_RETURN(generation_config_,
                         readOptional(path("generation_config.json"), kMegabyte));
  return absl::OkStatus();
}

absl::Status Checkpoint::openWeights() {
  LATHE_ASSIGN_OR_RETURN(WeightIndex index, findWeights(folder_));
  for (const std::string &name : index.files) {
    auto file = SafetensorsFile::open(absl::StrCat(folder_, "/", name));
    if (!file.ok())
      return absl::IsNotFound(file.status())
                 ? prefixed(file.status(), absl::StrCat(index.source, ": names a missing shard: "))
                 : file.status();
    files_.push_back(*std::move(file));
  }
  LATHE_RETURN_IF_ERROR(indexTensors());
  return index.sharded ? checkAgainstIndex(index, tensors_) : absl::OkStatus();
}

absl::Status Checkpoint::indexTensors() {
  for (SafetensorsFile &file : files_) {
    std::vector<Tensor> tensors = file.takeTensors();
    std::move(tensors.begin(), tensors.end(), std::back_inserter(tensors_));
  }
  std::sort(tensors_.begin(), tensors_.end(), byName);
  for (size_t i = 0; i < tensors_.size(); ++i) {
    if (i > 0 && tensors_[i - 1].name == tensors_[i].name)
      return absl::InvalidArgumentError(absl::StrCat(tensors_[i].file, ": tensor ",
                                                     quotedName(tensors_[i].name), " is also in ",
                                                     tensors_[i - 1].file));
    total_bytes_ += tensors_[i].bytes.size();
  }
  return absl::OkStatus();
}

absl::StatusOr<ConfigReader> Checkpoint::config() const {
  return ConfigReader::parse(config_text_, absl::StrCat(folder_, "/config.json"));
}

std::vector<absl::string_view> Checkpoint::names() const {
  std::vector<absl::string_view> names;
  names.reserve(tensors_.size());
  for (const Tensor &tensor : tensors_)
    names.push_back(tensor.name);
  return names;
}

const Tensor *Checkpoint::find(absl::string_view name) const {
  auto at = std::lower_bound(
      tensors_.begin(), tensors_.end(), name,
      [](const Tensor &tensor, absl::string_view wanted) { return tensor.name < wanted; });
  return at != tensors_.end() && at->name == name ? &*at : nullptr;
}

absl::StatusOr<const Tensor *> Checkpoint::require(absl::string_view name) const {
  if (const Tensor *tensor = find(name))
    return tensor;
  return absl::NotFoundError(absl::StrCat(folder_, ": tensor ", quotedName(name), " is missing"));
}

void Checkpoint::release(const Tensor &tensor, uint64_t offset, uint64_t size) const {
  for (const SafetensorsFile &file : files_)
    if (file.path().data() == tensor.file.data())
      file.release(tensor.offset + offset, size);
}

} // namespace lathe::frontend
