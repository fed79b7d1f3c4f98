#include "tests/conformance/run/worker.h"

#include <cmath>
#include <csignal>
#include <sstream>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

namespace lathe::conformance {
namespace {

using Json = nlohmann::json;

class Reporter : public Listener {
public:
  explicit Reporter(int descriptor) : descriptor_(descriptor) {}

  void write(const Json &line) {
    const std::string text = line.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
    for (size_t done = 0; done < text.size();) {
      const ssize_t count = ::write(descriptor_, text.data() + done, text.size() - done);
      if (count < 0)
        std::_Exit(1); // nobody reads any more
      done += count;
    }
  }

  void begin(size_t index) override { write({{"begin", index}}); }
  void end(const Outcome &outcome) override {
    write({{"end", outcome.index},
           {"verdict", static_cast<int>(outcome.verdict)},
           {"text", outcome.text},
           {"seconds", outcome.seconds},
           {"share", std::isfinite(outcome.share) ? outcome.share : 1e30},
           {"digest", outcome.digest}});
  }

private:
  int descriptor_;
};

// False at the end.
bool readLine(int descriptor, std::string &line) {
  line.clear();
  char c;
  while (::read(descriptor, &c, 1) == 1) {
    if (c == '\n')
      return true;
    line += c;
  }
  return false;
}

std::vector<size_t> parseOrder(const std::string &line) {
  std::istringstream stream(line);
  std::vector<size_t> indices;
  for (size_t index; stream >> index;)
    indices.push_back(index);
  return indices;
}

} // namespace

void work(const Cases &cases, const WorkOptions &options, int orders, int reports) {
  rlimit none = {0, 0};
  setrlimit(RLIMIT_CORE, &none); // a crash is expected here
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  Reporter reporter(reports);
  auto target = openTarget(options.target);
  if (!target.ok())
    return reporter.write({{"fatal", std::string(target.status().message())}});
  reporter.write({{"ready", true}, {"batch", (*target)->batch()}});
  for (std::string line; readLine(orders, line);) {
    judge(**target, cases, parseOrder(line), options.seed, reporter);
    reporter.write({{"ready", true}});
  }
}

} // namespace lathe::conformance
