#include "tests/unit/tools/lathe/program.h"

#include <csignal>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace lathe::cli {
namespace {

std::string temporaryFile() {
  std::string path = testing::TempDir() + "lathe_stream_XXXXXX";
  close(mkstemp(path.data()));
  return path;
}

std::string takeFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(stream), {}};
  unlink(path.c_str());
  return text;
}

void redirect(int descriptor, const std::string &path) {
  dup2(open(path.c_str(), O_WRONLY | O_TRUNC), descriptor);
}

[[noreturn]] void become(const std::vector<std::string> &arguments) {
  std::vector<char *> words = {const_cast<char *>("lathe")};
  for (const std::string &argument : arguments)
    words.push_back(const_cast<char *>(argument.c_str()));
  words.push_back(nullptr);
  execv(LATHE_PROGRAM, words.data());
  _exit(127);
}

} // namespace

Program::Program(const std::vector<std::string> &arguments)
    : out_(temporaryFile()), err_(temporaryFile()) {
  int ends[2];
  EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
  signal(SIGPIPE, SIG_IGN); // a program that ended early does not end the test
  process_ = fork();
  if (process_ == 0) {
    signal(SIGPIPE, SIG_DFL);
    dup2(ends[0], STDIN_FILENO);
    redirect(STDOUT_FILENO, out_);
    redirect(STDERR_FILENO, err_);
    become(arguments);
  }
  close(ends[0]);
  input_ = ends[1];
}

Program::~Program() {
  if (process_ >= 0)
    end();
}

void Program::send(const std::string &text) const {
  ssize_t sent = write(input_, text.data(), text.size());
  (void)sent; // it may have ended before it reads
}

void Program::interrupt() const { kill(process_, SIGINT); }

void Program::waitForOutput() const {
  for (int i = 0; i < 1000 && std::filesystem::file_size(out_) == 0; ++i)
    usleep(10000);
}

Ended Program::end() {
  close(input_);
  int status = 0;
  waitpid(process_, &status, 0);
  process_ = -1;
  int code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return {code, takeFile(out_), takeFile(err_)};
}

Ended lathe(const std::vector<std::string> &arguments, const std::string &input) {
  Program program(arguments);
  program.send(input);
  return program.end();
}

} // namespace lathe::cli
