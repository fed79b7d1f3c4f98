// Runs the program `lathe` as a user does: words in, two streams and an exit status out.
#pragma once

#include <string>
#include <vector>

namespace lathe::cli {

struct Ended {
  int status = -1; // 128 + the signal where one ended it
  std::string out, err;
};

// A running program. Its input stays open until it is told otherwise.
class Program {
public:
  explicit Program(const std::vector<std::string> &arguments);
  ~Program();
  Program(const Program &) = delete;

  void send(const std::string &text) const; // to its standard input
  void interrupt() const;                   // as Ctrl-C
  void waitForOutput() const;               // until something is on its standard output
  Ended end();                              // closes its input and waits

private:
  int process_ = -1, input_ = -1;
  std::string out_, err_; // paths
};

// Runs it to its end.
Ended lathe(const std::vector<std::string> &arguments, const std::string &input = "");

} // namespace lathe::cli
