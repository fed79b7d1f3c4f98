#include "models/recipe.h"

#include <algorithm>

#include "absl/strings/str_join.h"
#include "llvm/ADT/StringRef.h"

#include "base/status.h"
#include "frontend/quote.h"

namespace lathe::models {

namespace {

using Names = std::vector<absl::string_view>;

bool holds(const Names &names, absl::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

const Recipe *recipeOf(absl::string_view name, Names Recipe::*names) {
  for (const Recipe &recipe : recipes())
    if (holds(recipe.*names, name))
      return &recipe;
  return nullptr;
}

Names allNames(Names Recipe::*names) {
  Names all;
  for (const Recipe &recipe : recipes())
    all.insert(all.end(), (recipe.*names).begin(), (recipe.*names).end());
  return all;
}

unsigned distance(absl::string_view a, absl::string_view b) {
  return llvm::StringRef(a.data(), a.size())
      .edit_distance_insensitive(llvm::StringRef(b.data(), b.size()));
}

absl::string_view nearest(absl::string_view name, const Names &known) {
  return *std::min_element(known.begin(), known.end(),
                           [&](auto a, auto b) { return distance(a, name) < distance(b, name); });
}

absl::StatusOr<const Recipe *> lookUp(const frontend::ConfigReader &config, absl::string_view key,
                                      absl::string_view name, Names Recipe::*names) {
  if (const Recipe *recipe = recipeOf(name, names))
    return recipe;
  const Names known = allNames(names);
  return absl::UnimplementedError(
      absl::StrCat(config.source(), ": key '", key, "' names ", frontend::quotedName(name),
                   ", which is not supported; the nearest that is supported is ",
                   nearest(name.substr(0, 100), known), ", of ", absl::StrJoin(known, ", ")));
}

} // namespace

absl::Span<const Recipe> recipes() {
  static const auto *all = new std::vector<Recipe>{
      {"deepseek_v2", {"DeepseekV2ForCausalLM"}, {"deepseek_v2"}, describeDeepseekV2},
      {"deepseek_v3", {"DeepseekV3ForCausalLM"}, {"deepseek_v3", "kimi_k2"}, describeDeepseekV3},
      {"internlm3", {"InternLM3ForCausalLM"}, {"internlm3"}, describeInternLm3},
      {"llama", {"LlamaForCausalLM"}, {"llama"}, describeLlama},
      {"minicpm3", {"MiniCPM3ForCausalLM"}, {"minicpm3"}, describeMiniCpm3},
      {"qwen2", {"Qwen2ForCausalLM"}, {"qwen2"}, describeQwen2},
      {"qwen3", {"Qwen3ForCausalLM"}, {"qwen3"}, describeQwen3},
  };
  return *all;
}

absl::StatusOr<const Recipe *> findRecipe(const frontend::ConfigReader &config) {
  LATHE_ASSIGN_OR_RETURN(const auto type, config.nullableString("model_type"));
  if (!config.has("architectures") && type)
    return lookUp(config, "model_type", *type, &Recipe::model_types);
  LATHE_ASSIGN_OR_RETURN(const std::string architecture, frontend::readArchitecture(config));
  LATHE_ASSIGN_OR_RETURN(const Recipe *recipe,
                         lookUp(config, "architectures", architecture, &Recipe::architectures));
  if (type && !holds(recipe->model_types, *type))
    return config.keyError("model_type", absl::StrCat("is ", frontend::quotedName(*type), "; for ",
                                                      architecture, " it should be ",
                                                      absl::StrJoin(recipe->model_types, " or ")));
  return recipe;
}

} // namespace lathe::models
