#include "text/tokenizer/post_processor.h"

#include "base/status.h"
#include "text/tokenizer/document.h"

namespace lathe::text {
namespace {

constexpr size_t kMaxIds = 1024;

class Reader {
public:
  explicit Reader(const std::function<bool(int64_t)> &knows) : knows_(knows) {}

  absl::Status read(const JsonField &field) {
    LATHE_ASSIGN_OR_RETURN(std::string type, field.string("type"));
    if (type == "ByteLevel")
      return absl::OkStatus();
    if (type == "Sequence")
      return readSequence(field);
    bool is_template = type == "TemplateProcessing";
    if (!is_template && type != "BertProcessing" && type != "RobertaProcessing")
      return field.wrong(absl::StrCat("the post-processor '", type,
                                      "' is not supported; known are TemplateProcessing, "
                                      "BertProcessing, RobertaProcessing, ByteLevel and Sequence"));
    if (std::exchange(adds_, true))
      return field.wrong("is the second post-processor that adds tokens; should be the only one");
    return is_template ? readTemplate(field) : readPair(field);
  }

  PostProcessor result;

private:
  absl::Status readSequence(const JsonField &field) {
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> parts, field.list("processors"));
    for (const JsonField &part : parts)
      LATHE_RETURN_IF_ERROR(read(part));
    return absl::OkStatus();
  }

  absl::Status addId(const JsonField &place, const Json &value, std::vector<int32_t> &out) {
    bool fits = value.is_number_unsigned() && value.get<uint64_t>() < uint64_t(kMaxVocabulary);
    if (!fits || !knows_(value.get<int64_t>()))
      return place.wrong(absl::StrCat("is ",
                                      value.dump(-1, ' ', false, Json::error_handler_t::replace),
                                      "; should be the id of a token"));
    if (out.size() >= kMaxIds)
      return place.wrong(absl::StrCat("adds more than ", kMaxIds, " ids"));
    out.push_back(int32_t(value.get<int64_t>()));
    return absl::OkStatus();
  }

  // "cls" and "sep" are pairs [token, id].
  absl::Status readPair(const JsonField &field) {
    for (const char *key : {"cls", "sep"}) {
      LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> pair, field.list(key));
      if (pair.size() != 2)
        return field.wrong(absl::StrCat(key, ": has ", pair.size(), " elements; should have 2"));
      bool first = key[0] == 'c';
      LATHE_RETURN_IF_ERROR(addId(pair[1], pair[1].value(), first ? result.before : result.behind));
    }
    return absl::OkStatus();
  }

  absl::Status readTemplate(const JsonField &field) {
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> pieces, field.list("single"));
    bool seen = false;
    for (const JsonField &piece : pieces) {
      if (piece.has("Sequence")) {
        LATHE_RETURN_IF_ERROR(checkSequence(piece));
        if (std::exchange(seen, true))
          return piece.wrong("is the second place of the text; should be the only one");
      } else {
        LATHE_RETURN_IF_ERROR(addSpecial(field, piece, seen ? result.behind : result.before));
      }
    }
    if (seen)
      return absl::OkStatus();
    LATHE_ASSIGN_OR_RETURN(JsonField single, field.member("single"));
    return single.wrong("has no place for the text; should hold {\"Sequence\": {\"id\": \"A\"}}");
  }

  absl::Status checkSequence(const JsonField &piece) {
    LATHE_ASSIGN_OR_RETURN(JsonField sequence, piece.member("Sequence"));
    LATHE_ASSIGN_OR_RETURN(std::string id, sequence.string("id"));
    if (id != "A")
      return sequence.wrong(absl::StrCat("id: is '", id, "'; should be 'A'"));
    return absl::OkStatus();
  }

  absl::Status addSpecial(const JsonField &field, const JsonField &piece,
                          std::vector<int32_t> &out) {
    LATHE_ASSIGN_OR_RETURN(JsonField special, piece.member("SpecialToken"));
    LATHE_ASSIGN_OR_RETURN(std::string name, special.string("id"));
    LATHE_ASSIGN_OR_RETURN(JsonField all, field.member("special_tokens"));
    LATHE_ASSIGN_OR_RETURN(JsonField token, all.member(name));
    LATHE_ASSIGN_OR_RETURN(std::vector<JsonField> ids, token.list("ids"));
    for (const JsonField &id : ids)
      LATHE_RETURN_IF_ERROR(addId(id, id.value(), out));
    return absl::OkStatus();
  }

  const std::function<bool(int64_t)> &knows_;
  bool adds_ = false;
};

} // namespace

absl::StatusOr<PostProcessor> PostProcessor::read(const JsonField &field,
                                                  const std::function<bool(int64_t)> &knows) {
  Reader reader(knows);
  LATHE_RETURN_IF_ERROR(reader.read(field));
  return std::move(reader.result);
}

} // namespace lathe::text
