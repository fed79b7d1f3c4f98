#include "text/tokenizer/document.h"

#include <cstring>

#include "absl/strings/str_cat.h"
#include "base/status.h"
#include "text/tokenizer/packed_lists.h"

namespace lathe::text {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxKeys = 1024;      // of one object outside the vocabulary
constexpr size_t kMaxValues = 1 << 20; // outside vocabulary and merges

// Strings one behind the other. It never holds more bytes than the JSON text they came from, so one
// block is enough and the views stay good; pages that are not written are never there.
class StringStore {
public:
  explicit StringStore(size_t size) : block_(new char[size + 1]) {}

  absl::string_view add(absl::string_view text) {
    char *place = block_.get() + used_;
    std::memcpy(place, text.data(), text.size());
    used_ += text.size();
    return {place, text.size()};
  }
  std::unique_ptr<char[]> release() { return std::move(block_); }

private:
  std::unique_ptr<char[]> block_;
  size_t used_ = 0;
};

// The SAX side of nlohmann::json. Returning false stops the parse with `complaint` set.
class Reader : public nlohmann::json_sax<Json> {
public:
  Reader(Document &document, size_t text_size)
      : document_(document), strings_(text_size), merge_strings_(text_size) {}

  bool null() override { return scalar(nullptr); }
  bool boolean(bool value) override { return scalar(value); }
  bool number_integer(int64_t value) override { return number(value, double(value), true); }
  bool number_unsigned(uint64_t value) override {
    if (mode_ == Mode::kTree)
      return add(value) != nullptr;
    bool fits = value <= uint64_t(INT64_MAX);
    return number(fits ? int64_t(value) : INT64_MAX, double(value), true);
  }
  bool number_float(double value, const std::string &) override { return number(0, value, false); }
  bool binary(Json::binary_t &) override { return refuse("binary data"); }

  bool string(std::string &value) override {
    switch (mode_) {
    case Mode::kTree: return add(std::move(value)) != nullptr;
    case Mode::kObject: return refuse(absl::StrCat(place(), ": is a string; should be an id"));
    case Mode::kList: return listString(value);
    case Mode::kMerges: return mergeString(value);
    }
    return false;
  }

  bool key(std::string &value) override {
    if (mode_ == Mode::kObject) {
      if (int64_t(document_.vocabulary.size()) >= kMaxVocabulary)
        return refuseSize("model.vocab", "tokens", kMaxVocabulary);
      document_.vocabulary.push_back({strings_.add(value), -1, 0});
      return true;
    }
    if (mode_ != Mode::kTree)
      return refuse(absl::StrCat(place(), ": is an object; should be a list"));
    Json &object = *stack_.back();
    if (object.size() >= kMaxKeys)
      return refuse(absl::StrCat("an object has more than ", kMaxKeys, " keys"));
    if (object.contains(value))
      return refuse(absl::StrCat("the key '", value, "' stands twice in one object"));
    key_ = value;
    return true;
  }

  bool start_object(size_t) override {
    if (mode_ != Mode::kTree)
      return refuse(absl::StrCat(place(), ": is an object; should be ", wanted()));
    if (isModelKey("vocab"))
      return enter(Mode::kObject, VocabularyShape::kObject);
    if (stack_.size() == 1 && key_ == "model")
      model_depth_ = 2;
    return open(Json::object());
  }

  bool start_array(size_t) override {
    if (mode_ == Mode::kTree) {
      if (isModelKey("vocab"))
        return enter(Mode::kList, VocabularyShape::kList);
      if (isModelKey("merges"))
        return enter(Mode::kMerges, document_.shape);
      return open(Json::array());
    }
    if (mode_ == Mode::kObject || inner_ >= 0)
      return refuse(absl::StrCat(place(), ": is a list; should be ", wanted()));
    inner_ = 0;
    return mode_ == Mode::kList ? startListEntry() : startMerge(false);
  }

  bool end_object() override {
    if (mode_ == Mode::kObject)
      mode_ = Mode::kTree;
    else
      close();
    return true;
  }

  bool end_array() override {
    if (mode_ == Mode::kTree) {
      close();
    } else if (inner_ < 0) {
      mode_ = Mode::kTree;
    } else {
      if (inner_ != 2)
        return refuse(absl::StrCat(place(), ": has ", inner_, " elements; should have 2"));
      inner_ = -1;
    }
    return true;
  }

  bool parse_error(size_t, const std::string &, const nlohmann::detail::exception &e) override {
    absl::string_view what = e.what();
    size_t bracket = what.find("] ");
    return refuse(
        absl::StrCat("not valid JSON: ", bracket == what.npos ? what : what.substr(bracket + 2)));
  }

  void finish() {
    document_.strings = strings_.release();
    document_.merge_strings = merge_strings_.release();
  }
  const std::string &complaint() const { return complaint_; }

private:
  enum class Mode { kTree, kObject, kList, kMerges };

  bool refuse(absl::string_view what) {
    if (complaint_.empty())
      complaint_ = std::string(what);
    return false;
  }
  bool refuseSize(absl::string_view where, absl::string_view what, int64_t limit) {
    return refuse(
        absl::StrCat(where, ": has more than ", limit, " ", what, ", the most that is read"));
  }

  bool isModelKey(absl::string_view key) const {
    return stack_.size() == 2 && model_depth_ == 2 && key_ == key;
  }

  // Where the reader stands in one of the packed lists.
  std::string place() const {
    if (mode_ == Mode::kObject)
      return absl::StrCat("model.vocab['",
                          document_.vocabulary.empty() ? "" : document_.vocabulary.back().token,
                          "']");
    bool merges = mode_ == Mode::kMerges;
    size_t count = merges ? document_.merges.size() : document_.vocabulary.size();
    return absl::StrCat(merges ? "model.merges[" : "model.vocab[", count - (inner_ >= 0), "]");
  }
  absl::string_view wanted() const {
    if (mode_ == Mode::kObject)
      return "an id";
    return mode_ == Mode::kList ? "a pair [token, score]" : "a pair of tokens";
  }

  bool enter(Mode mode, VocabularyShape shape) {
    mode_ = mode;
    document_.shape = shape;
    document_.has_merges |= mode == Mode::kMerges;
    return add(Json()) != nullptr; // keeps the key, so that a second one is noticed
  }

  bool startListEntry() {
    if (int64_t(document_.vocabulary.size()) >= kMaxVocabulary)
      return refuseSize("model.vocab", "tokens", kMaxVocabulary);
    document_.vocabulary.push_back({{}, int64_t(document_.vocabulary.size()), 0});
    return true;
  }
  bool startMerge(bool legacy) {
    if (int64_t(document_.merges.size()) >= kMaxMerges)
      return refuseSize("model.merges", "merges", kMaxMerges);
    document_.merges.push_back({{}, {}, legacy});
    return true;
  }

  bool listString(const std::string &value) {
    if (inner_ != 0)
      return refuse(absl::StrCat(place(), ": is a string; should be ",
                                 inner_ < 0 ? wanted() : "a score behind the token"));
    document_.vocabulary.back().token = strings_.add(value);
    ++inner_;
    return true;
  }
  bool mergeString(const std::string &value) {
    if (inner_ < 0 && !startMerge(true))
      return false;
    MergeEntry &merge = document_.merges.back();
    if (inner_ <= 0)
      merge.left = merge_strings_.add(value);
    else if (inner_ == 1)
      merge.right = merge_strings_.add(value);
    inner_ += inner_ >= 0;
    return true;
  }

  bool number(int64_t integer, double real, bool is_integer) {
    if (mode_ == Mode::kTree)
      return (is_integer ? add(integer) : add(real)) != nullptr;
    if (mode_ == Mode::kObject && is_integer) {
      document_.vocabulary.back().id = integer;
      return checkId(integer);
    }
    if (mode_ == Mode::kList && inner_ == 1) {
      document_.vocabulary.back().score = real;
      ++inner_;
      return true;
    }
    return refuse(absl::StrCat(place(), ": is a number; should be ",
                               mode_ == Mode::kList && inner_ == 0 ? "a token" : wanted()));
  }
  bool checkId(int64_t id) {
    if (id >= 0 && id < kMaxVocabulary)
      return true;
    return refuse(
        absl::StrCat(place(), ": is ", id, "; should be an id from 0 to ", kMaxVocabulary - 1));
  }

  template <typename T> bool scalar(T value) {
    if (mode_ == Mode::kTree)
      return add(value) != nullptr;
    return refuse(absl::StrCat(place(), ": is null or a boolean; should be ", wanted()));
  }

  template <typename T> Json *add(T &&value) {
    if (++values_ > kMaxValues) {
      refuse(absl::StrCat("holds more than ", kMaxValues, " values beside the vocabulary"));
      return nullptr;
    }
    if (stack_.empty())
      return &(document_.json = Json(std::forward<T>(value)));
    Json &parent = *stack_.back();
    if (parent.is_array())
      return &parent.get_ref<Json::array_t &>().emplace_back(std::forward<T>(value));
    return &parent.get_ref<Json::object_t &>().emplace_back(key_, std::forward<T>(value)).second;
  }
  bool open(Json container) {
    if (stack_.size() >= kMaxDepth)
      return refuse(absl::StrCat("nested deeper than ", kMaxDepth, " levels"));
    Json *place = add(std::move(container));
    stack_.push_back(place);
    return place != nullptr;
  }
  void close() {
    if (stack_.size() == 2)
      model_depth_ = 0;
    stack_.pop_back();
  }

  Document &document_;
  StringStore strings_, merge_strings_;
  Mode mode_ = Mode::kTree;
  int inner_ = -1;      // elements seen in the open pair of a packed list; -1 outside a pair
  int model_depth_ = 0; // 2 while the object under the key "model" is open
  std::vector<Json *> stack_;
  std::string key_, complaint_;
  size_t values_ = 0;
};

absl::StatusOr<Document> readGenerally(absl::string_view text, absl::string_view source) {
  Document document;
  Reader reader(document, text.size());
  bool parsed = Json::sax_parse(text.data(), text.data() + text.size(), &reader);
  if (!parsed)
    return absl::InvalidArgumentError(absl::StrCat(source, ": ", reader.complaint()));
  reader.finish();
  if (!document.json.is_object())
    return absl::InvalidArgumentError(
        absl::StrCat(source, ": is not a JSON object; should be a tokenizer.json"));
  return document;
}

} // namespace

absl::StatusOr<Document> readDocument(absl::string_view text, absl::string_view source) {
  Document packed;
  std::optional<std::string> rest = takePackedLists(text, packed);
  if (!rest)
    return readGenerally(text, source);
  absl::StatusOr<Document> document = readGenerally(*rest, source);
  if (!document.ok()) // places in the errors count in the whole text
    return readGenerally(text, source);
  packed.json = std::move(document->json);
  return packed;
}

} // namespace lathe::text
