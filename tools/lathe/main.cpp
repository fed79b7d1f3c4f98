// lathe: one program, verbs like git's.
#include <csignal>
#include <exception>
#include <new>

#include "absl/strings/str_cat.h"

#include "tools/lathe/command_line.h"
#include "tools/lathe/console.h"
#include "tools/lathe/nearest.h"
#include "tools/lathe/table.h"

namespace lathe::cli {
namespace {

const Verb *const kVerbs[] = {&kCompile, &kRun,  &kInspect, &kCheck,
                              &kBench,   &kEval, &kDevices, &kTokenize};

const Verb *findVerb(const std::string &name) {
  for (const Verb *verb : kVerbs)
    if (name == verb->name)
      return verb;
  return nullptr;
}

std::vector<std::string> verbNames() {
  std::vector<std::string> names = {"help"};
  for (const Verb *verb : kVerbs)
    names.push_back(verb->name);
  return names;
}

std::string help() {
  std::vector<std::vector<std::string>> rows;
  for (const Verb *verb : kVerbs)
    rows.push_back({verb->name, verb->summary});
  return absl::StrCat("lathe compiles language models ahead of time into one file and runs it.\n\n"
                      "usage: lathe VERB [arguments]\n\nverbs:\n",
                      formatTable(rows),
                      "\nexample:\n  lathe compile models/stories_mla_fp8 -o stories.lathe\n"
                      "  lathe run stories.lathe --prompt \"Once upon a time\"\n\n"
                      "lathe VERB --help lists a verb's flags. Results go to standard output, all\n"
                      "else to standard error. Exit status: 0 done, 1 refused or failed, 2 wrong\n"
                      "usage, 130 interrupted.\n");
}

int unknownVerb(const std::string &word) {
  const char *kind = word[0] == '-' ? "unknown flag " : "unknown verb ";
  std::vector<std::string> known = verbNames();
  known.insert(known.end(), {"--help", "--version"});
  return reportUsage("", absl::StrCat(kind, word, didYouMean(word, known)));
}

int showHelp(const std::vector<std::string> &words) {
  const Verb *verb = words.size() > 1 ? findVerb(words[1]) : nullptr;
  if (words.size() > 1 && !verb)
    return unknownVerb(words[1]);
  print(verb ? helpOf(*verb) : help());
  return kDone;
}

int dispatch(const std::vector<std::string> &words) {
  if (words.empty()) {
    printAside(help());
    return kWrongUsage;
  }
  if (words[0] == "--help" || words[0] == "-h" || words[0] == "help")
    return showHelp(words);
  if (words[0] == "--version") {
    print("lathe " LATHE_VERSION "\n");
    return kDone;
  }
  if (const Verb *verb = findVerb(words[0]))
    return runVerb(*verb, {words.begin() + 1, words.end()});
  return words[0].empty() ? reportUsage("", "the verb is empty") : unknownVerb(words[0]);
}

} // namespace
} // namespace lathe::cli

int main(int argc, char **argv) {
  using namespace lathe::cli;
  std::signal(SIGXFSZ,
              SIG_IGN); // a limit on the size of files is an error to report, as a full disk is
  try {
    int status = dispatch({argv + 1, argv + argc});
    if (!outputFailed())
      return status;
    printError("standard output could not be written in full");
  } catch (const std::bad_alloc &) {
    printError("out of memory");
  } catch (const std::exception &exception) {
    printError(exception.what());
  }
  return kFailed;
}
