#include "tools/lathe/flags.h"

#include <algorithm>
#include <cmath>

#include "CLI/CLI.hpp"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"

#include "tools/lathe/nearest.h"

namespace lathe::cli {
namespace {

// The flag's long name, for errors.
std::string longName(const std::string &names) { return names.substr(names.rfind(',') + 1); }

int64_t parseWhole(const std::string &name, const std::string &text, Range range) {
  int64_t value = 0;
  if (absl::SimpleAtoi(text, &value) && value >= range.least && value <= range.most)
    return value;
  std::string bounds = range.most == INT64_MAX
                           ? absl::StrCat(range.least, " or more")
                           : absl::StrCat("from ", range.least, " to ", range.most);
  throw CLI::ValidationError(absl::StrCat(name, " ", text),
                             absl::StrCat("must be a whole number, ", bounds));
}

double parseReal(const std::string &name, const std::string &text) {
  double value = 0;
  if (absl::SimpleAtod(text, &value) && std::isfinite(value))
    return value;
  throw CLI::ValidationError(absl::StrCat(name, " ", text), "must be a number");
}

CLI::Option *textOption(CLI::App &app, const std::string &names, std::optional<std::string> &value,
                        const std::string &placeholder, const std::string &help) {
  auto set = [&value](const std::string &text) { value = text; };
  return app.add_option_function<std::string>(names, set, help)->option_text(placeholder);
}

} // namespace

void addArgument(CLI::App &app, const std::string &name, std::string &value,
                 const std::string &help) {
  app.add_option(name, value, help)->required()->option_text(" ");
}

void addSwitch(CLI::App &app, const std::string &names, bool &value, const std::string &help) {
  app.add_flag(names, value, help);
}

void addText(CLI::App &app, const std::string &names, std::optional<std::string> &value,
             const std::string &placeholder, const std::string &help) {
  textOption(app, names, value, placeholder, help);
}

void addRequiredText(CLI::App &app, const std::string &names, std::optional<std::string> &value,
                     const std::string &placeholder, const std::string &help) {
  textOption(app, names, value, placeholder, help)->required();
}

void addTexts(CLI::App &app, const std::string &names, std::vector<std::string> &values,
              const std::string &placeholder, const std::string &help) {
  app.add_option(names, values, help)->allow_extra_args(false)->option_text(placeholder);
}

void addChoice(CLI::App &app, const std::string &names, std::optional<std::string> &value,
               const std::vector<std::string> &choices, const std::string &placeholder,
               const std::string &help) {
  auto set = [&value, choices, name = longName(names)](const std::string &text) {
    if (std::find(choices.begin(), choices.end(), text) == choices.end())
      throw CLI::ValidationError(
          absl::StrCat(name, " ", text),
          absl::StrCat("must be one of ", absl::StrJoin(choices, ", "), didYouMean(text, choices)));
    value = text;
  };
  app.add_option_function<std::string>(names, set, help)->option_text(placeholder);
}

void addWhole(CLI::App &app, const std::string &names, std::optional<int64_t> &value, Range range,
              const std::string &help) {
  auto set = [&value, range, name = longName(names)](const std::string &text) {
    value = parseWhole(name, text, range);
  };
  app.add_option_function<std::string>(names, set, help)->option_text("N");
}

void addReal(CLI::App &app, const std::string &names, std::optional<double> &value,
             const std::string &help) {
  auto set = [&value, name = longName(names)](const std::string &text) {
    value = parseReal(name, text);
  };
  app.add_option_function<std::string>(names, set, help)->option_text("X");
}

} // namespace lathe::cli
