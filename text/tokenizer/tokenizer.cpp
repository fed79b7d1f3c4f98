#include "text/tokenizer/tokenizer.h"

#include "base/json.h"
#include "base/status.h"
#include "text/tokenizer/added_tokens.h"
#include "text/tokenizer/bpe.h"
#include "text/tokenizer/decoder.h"
#include "text/tokenizer/document.h"
#include "text/tokenizer/normalizer.h"
#include "text/tokenizer/post_processor.h"
#include "text/tokenizer/pre_tokenizer.h"
#include "text/tokenizer/unigram.h"
#include "text/tokenizer/utf8.h"

namespace lathe::text {

constexpr size_t kMaxText = size_t(1) << 30;

struct Tokenizer::Parts {
  Vocabulary vocabulary;
  std::unique_ptr<const Model> model;
  Normalizer normalizer;
  AddedTokens added;
  PreTokenizer pre_tokenizer;
  PostProcessor post_processor;
  Decoder decoder;
  int32_t id_limit = 0;
  std::optional<int32_t> bos, eos;

  absl::Status read(Document &document, const JsonField &root, absl::string_view source);
  absl::Status readModel(const Document &document, const JsonField &root);
  absl::Status readConfig(absl::string_view text);

  absl::Status encodePlain(SourcedText text, std::vector<int32_t> &ids) const;
  absl::Status encodeNormalized(absl::string_view text, Piece piece,
                                std::vector<int32_t> &ids) const;
  std::optional<absl::string_view> decodedToken(int32_t id) const;
};

absl::Status Tokenizer::Parts::readModel(const Document &document, const JsonField &root) {
  LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("model"));
  LATHE_ASSIGN_OR_RETURN(std::string type, field.string("type"));
  if (type == "BPE") {
    LATHE_ASSIGN_OR_RETURN(model, Bpe::build(field, document, vocabulary));
    return absl::OkStatus();
  }
  if (type == "Unigram") {
    LATHE_ASSIGN_OR_RETURN(model, Unigram::build(field, document, vocabulary));
    return absl::OkStatus();
  }
  return field.wrong(absl::StrCat("type: is '", type,
                                  "', which is not supported; known are BPE and "
                                  "Unigram"));
}

absl::Status Tokenizer::Parts::read(Document &document, const JsonField &root,
                                    absl::string_view source) {
  if (root.has("version")) {
    LATHE_ASSIGN_OR_RETURN(std::string version, root.string("version"));
    if (version != "1.0")
      return root.wrong(absl::StrCat("version: is '", version, "'; should be '1.0'"));
  }
  LATHE_ASSIGN_OR_RETURN(vocabulary, Vocabulary::build(document, source));
  LATHE_RETURN_IF_ERROR(readModel(document, root));
  if (root.has("normalizer")) {
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("normalizer"));
    LATHE_ASSIGN_OR_RETURN(normalizer, Normalizer::read(field));
  }
  if (root.has("added_tokens")) {
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("added_tokens"));
    LATHE_ASSIGN_OR_RETURN(added, AddedTokens::read(field, vocabulary, normalizer));
  }
  if (root.has("pre_tokenizer")) {
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("pre_tokenizer"));
    LATHE_ASSIGN_OR_RETURN(pre_tokenizer, PreTokenizer::read(field));
  }
  if (root.has("post_processor")) {
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("post_processor"));
    auto knows = [this](int64_t id) { return decodedToken(int32_t(id)).has_value(); };
    LATHE_ASSIGN_OR_RETURN(post_processor, PostProcessor::read(field, knows));
  }
  if (root.has("decoder")) {
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member("decoder"));
    LATHE_ASSIGN_OR_RETURN(decoder, Decoder::read(field));
  }
  id_limit = int32_t(vocabulary.idLimit());
  for (const AddedToken &token : added.tokens())
    id_limit = std::max(id_limit, token.id + 1);
  return absl::OkStatus();
}

absl::Status Tokenizer::Parts::readConfig(absl::string_view text) {
  const std::string source = "tokenizer_config.json";
  LATHE_ASSIGN_OR_RETURN(Json json, parseJson(text, source));
  JsonField root(json, source);
  for (const char *key : {"bos_token", "eos_token"}) {
    if (!root.has(key))
      continue;
    LATHE_ASSIGN_OR_RETURN(JsonField field, root.member(key));
    absl::StatusOr<std::string> token =
        field.value().is_object() ? field.string("content") : root.string(key);
    LATHE_RETURN_IF_ERROR(token.status());
    std::optional<int32_t> id = added.find(*token);
    if (!id)
      id = vocabulary.find(*token);
    if (!id)
      return field.wrong(absl::StrCat("is '", *token, "', which is not in the vocabulary"));
    (key[0] == 'b' ? bos : eos) = id;
  }
  return absl::OkStatus();
}

// What the decoder gets for an id.
std::optional<absl::string_view> Tokenizer::Parts::decodedToken(int32_t id) const {
  if (const AddedToken *token = added.token(id))
    return token->searched;
  return vocabulary.token(id);
}

absl::Status Tokenizer::Parts::encodeNormalized(absl::string_view text, Piece piece,
                                                std::vector<int32_t> &ids) const {
  Pieces pieces;
  pieces.text = std::string(text);
  piece.begin = 0;
  piece.end = text.size();
  pieces.pieces.push_back(piece);
  LATHE_RETURN_IF_ERROR(pre_tokenizer.apply(pieces));
  for (const Piece &part : pieces.pieces)
    LATHE_RETURN_IF_ERROR(model->encode(pieces.view(part), ids));
  return absl::OkStatus();
}

// A part of the text between two added tokens that are looked for before normalisation.
absl::Status Tokenizer::Parts::encodePlain(SourcedText text, std::vector<int32_t> &ids) const {
  bool at_start = text.from_first > 0;
  LATHE_RETURN_IF_ERROR(normalizer.apply(text));
  Piece whole{0, text.text.size(), at_start, text.from_first};
  for (const AddedTokens::Part &part : added.cut(text.text, /*normalized=*/true)) {
    if (part.id) {
      ids.push_back(*part.id);
      continue;
    }
    Piece piece = subPiece(whole, part.range.begin, part.range.end);
    absl::string_view view =
        absl::string_view(text.text).substr(piece.begin, piece.end - piece.begin);
    LATHE_RETURN_IF_ERROR(encodeNormalized(view, piece, ids));
  }
  return absl::OkStatus();
}

absl::StatusOr<Tokenizer> Tokenizer::load(absl::string_view tokenizer_json_text,
                                          absl::string_view source_name,
                                          absl::string_view tokenizer_config_text) {
  LATHE_ASSIGN_OR_RETURN(Document document, readDocument(tokenizer_json_text, source_name));
  JsonField root(document.json, std::string(source_name));
  auto parts = std::make_unique<Parts>();
  LATHE_RETURN_IF_ERROR(parts->read(document, root, source_name));
  if (!tokenizer_config_text.empty())
    LATHE_RETURN_IF_ERROR(parts->readConfig(tokenizer_config_text));
  return Tokenizer(std::move(parts));
}

absl::StatusOr<std::vector<int32_t>> Tokenizer::encode(absl::string_view text,
                                                       bool add_special) const {
  if (text.size() > kMaxText)
    return absl::InvalidArgumentError(absl::StrCat("the text has ", text.size(),
                                                   " bytes, more than the ", kMaxText,
                                                   " that can be encoded at once"));
  std::string repaired;
  if (validPrefix(text) != text.size()) {
    repaired = repairUtf8(text);
    text = repaired;
  }
  std::vector<int32_t> ids;
  if (add_special)
    ids = parts_->post_processor.before;
  for (const AddedTokens::Part &part : parts_->added.cut(text, /*normalized=*/false)) {
    if (part.id) {
      ids.push_back(*part.id);
      continue;
    }
    Range range = part.range;
    size_t first = range.begin == 0 ? decodeAt(text, 0).length : 0;
    LATHE_RETURN_IF_ERROR(parts_->encodePlain(
        {std::string(text.substr(range.begin, range.end - range.begin)), first}, ids));
  }
  if (add_special)
    ids.insert(ids.end(), parts_->post_processor.behind.begin(),
               parts_->post_processor.behind.end());
  return ids;
}

absl::StatusOr<std::string> Tokenizer::decode(absl::Span<const int32_t> ids,
                                              bool skip_special) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (int32_t id : ids) {
    std::optional<absl::string_view> token = parts_->decodedToken(id);
    if (!token)
      return absl::InvalidArgumentError(
          absl::StrCat("the id ", id, " is not in the vocabulary of ", vocabSize(), " tokens"));
    if (!skip_special || !parts_->added.isSpecial(*token))
      tokens.emplace_back(*token);
  }
  return parts_->decoder.apply(std::move(tokens));
}

std::optional<int32_t> Tokenizer::tokenToId(absl::string_view token) const {
  std::optional<int32_t> id = parts_->added.find(token);
  return id ? id : parts_->vocabulary.find(token);
}

std::optional<std::string> Tokenizer::idToToken(int32_t id) const {
  if (const AddedToken *token = parts_->added.token(id))
    return token->content;
  std::optional<absl::string_view> token = parts_->vocabulary.token(id);
  return token ? std::optional<std::string>(*token) : std::nullopt;
}

int32_t Tokenizer::vocabSize() const { return parts_->id_limit; }
std::optional<int32_t> Tokenizer::bosId() const { return parts_->bos; }
std::optional<int32_t> Tokenizer::eosId() const { return parts_->eos; }

Tokenizer::Tokenizer(std::unique_ptr<const Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::Tokenizer(Tokenizer &&) noexcept = default;
Tokenizer &Tokenizer::operator=(Tokenizer &&) noexcept = default;
Tokenizer::~Tokenizer() = default;

} // namespace lathe::text
