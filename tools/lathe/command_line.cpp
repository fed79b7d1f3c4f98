#include "tools/lathe/command_line.h"

#include <algorithm>
#include <cctype>

#include "CLI/CLI.hpp"
#include "absl/strings/ascii.h"
#include "absl/strings/cord.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

#include "tools/lathe/console.h"
#include "tools/lathe/nearest.h"

namespace lathe::cli {
namespace {

constexpr char kUsagePayload[] = "lathe/usage";

// CLI11's help in the order that reads well: what it is, how it is called, an example, flags.
class HelpFormat : public CLI::Formatter {
public:
  explicit HelpFormat(const Verb &verb) : verb_(verb) { column_width(30); }

  std::string make_help(const CLI::App *app, std::string, CLI::AppFormatMode mode) const override {
    std::string example = absl::StrCat("  ", verb_.example);
    for (size_t at = 0; (at = example.find('\n', at)) != std::string::npos; at += 3)
      example.insert(at + 1, "  ");
    return absl::StrCat(verb_.program, verb_.name, ": ", verb_.summary,
                        "\n\nusage: ", verb_.program, verb_.name, *verb_.arguments ? " " : "",
                        verb_.arguments, " [flags]\n\nexample:\n", example, "\n",
                        make_positionals(app), make_groups(app, mode));
  }

  std::string make_positionals(const CLI::App *app) const override {
    std::vector<const CLI::Option *> options =
        app->get_options([](const CLI::Option *option) { return option->get_positional(); });
    return options.empty() ? "" : make_group("arguments", true, options);
  }

private:
  const Verb &verb_;
};

struct ParsedVerb {
  std::unique_ptr<CLI::App> app;
  Action action;
};

ParsedVerb declare(const Verb &verb) {
  auto app = std::make_unique<CLI::App>();
  app->option_defaults()->group("flags");
  app->set_help_flag("-h,--help", "this text")->group("flags");
  app->formatter(std::make_shared<HelpFormat>(verb));
  Action action = verb.declare(*app);
  return {std::move(app), std::move(action)};
}

// CLI11 takes the next word for a value where "--flag=" has none; an empty one was meant.
std::vector<std::string> splitEmptyValues(const std::vector<std::string> &arguments) {
  std::vector<std::string> words;
  for (const std::string &word : arguments) {
    bool empty_value = word.size() > 3 && word.compare(0, 2, "--") == 0 && word.back() == '=' &&
                       word.find('=') == word.size() - 1;
    words.push_back(empty_value ? word.substr(0, word.size() - 1) : word);
    if (empty_value)
      words.emplace_back();
  }
  return words;
}

std::vector<std::string> flagsOf(const CLI::App &app) {
  std::vector<std::string> flags;
  for (const CLI::Option *option : app.get_options())
    for (const std::string &name : option->get_lnames())
      flags.push_back("--" + name);
  return flags;
}

// CLI11 says "--prompt: At Most 1 required but received 2" and "--prompt: 1 required TEXT missing".
std::string wrongCount(const std::string &text) {
  std::string flag = text.substr(0, text.find(':'));
  bool twice = text.find("received") != std::string::npos;
  return absl::StrCat(flag, twice ? " is given more than once" : " needs a value");
}

// What is wrong, in our words. An unknown flag comes first: it may be why something else is
// missing.
std::string complaint(const CLI::App &app, const CLI::ParseError &error) {
  std::vector<std::string> rest = app.remaining();
  for (const std::string &word : rest)
    if (word.size() > 1 && word[0] == '-')
      return absl::StrCat("unknown flag ", word,
                          didYouMean(word.substr(0, word.find('=')), flagsOf(app)));
  if (!rest.empty())
    return absl::StrCat("one argument too many: '", rest.front(), "'");
  std::string text = error.what();
  if (dynamic_cast<const CLI::ArgumentMismatch *>(&error))
    return wrongCount(text);
  if (text.size() > 1 && std::isupper(text[0]) && std::islower(text[1]))
    text[0] = absl::ascii_tolower(text[0]);
  return std::string(absl::StripSuffix(absl::StripAsciiWhitespace(text), "."));
}

} // namespace

absl::Status usageError(absl::string_view text) {
  absl::Status status = absl::InvalidArgumentError(text);
  status.SetPayload(kUsagePayload, absl::Cord());
  return status;
}

bool isUsageError(const absl::Status &status) {
  return status.GetPayload(kUsagePayload).has_value();
}

static int reportUsageOf(absl::string_view command, absl::string_view text) {
  printError(absl::StrCat(text, "; see ", command, " --help"));
  return kWrongUsage;
}

int reportUsage(absl::string_view verb, absl::string_view text) {
  return reportUsageOf(absl::StrCat("lathe", verb.empty() ? "" : " ", verb), text);
}

int exitStatusOf(const absl::Status &status) {
  if (status.ok())
    return kDone;
  if (absl::IsCancelled(status)) {
    printError("interrupted");
    return kInterrupted;
  }
  printError(status.message());
  return kFailed;
}

std::string helpOf(const Verb &verb) { return declare(verb).app->help(); }

int runVerb(const Verb &verb, const std::vector<std::string> &arguments) {
  ParsedVerb parsed = declare(verb);
  const std::string command = absl::StrCat(verb.program, verb.name);
  std::vector<std::string> words = splitEmptyValues(arguments);
  std::reverse(words.begin(), words.end()); // as CLI11 wants them
  try {
    parsed.app->parse(words);
  } catch (const CLI::CallForHelp &) {
    print(parsed.app->help());
    return kDone;
  } catch (const CLI::ParseError &error) {
    return reportUsageOf(command, complaint(*parsed.app, error));
  }
  absl::Status status = parsed.action();
  return isUsageError(status) ? reportUsageOf(command, status.message()) : exitStatusOf(status);
}

} // namespace lathe::cli
