// Flags with one way to say what is wrong with a value. Each value keeps what it has where the flag
// is not given. `names` is "--flag" or "-f,--flag"; `placeholder` stands for the value in the help.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace CLI { // its header takes seconds to compile
class App;
} // namespace CLI

namespace lathe::cli {

struct Range {
  int64_t least = 0, most = INT64_MAX;
};

void addArgument(CLI::App &app, const std::string &name, std::string &value,
                 const std::string &help); // required
void addSwitch(CLI::App &app, const std::string &names, bool &value, const std::string &help);
void addText(CLI::App &app, const std::string &names, std::optional<std::string> &value,
             const std::string &placeholder, const std::string &help);
void addRequiredText(CLI::App &app, const std::string &names, std::optional<std::string> &value,
                     const std::string &placeholder, const std::string &help);
// May be given several times, one value each time.
void addTexts(CLI::App &app, const std::string &names, std::vector<std::string> &values,
              const std::string &placeholder, const std::string &help);
void addChoice(CLI::App &app, const std::string &names, std::optional<std::string> &value,
               const std::vector<std::string> &choices, const std::string &placeholder,
               const std::string &help);
void addWhole(CLI::App &app, const std::string &names, std::optional<int64_t> &value, Range range,
              const std::string &help);
void addReal(CLI::App &app, const std::string &names, std::optional<double> &value,
             const std::string &help);

} // namespace lathe::cli
