#include "tools/lathe/line_reader.h"

#include <csignal>
#include <thread>
#include <unistd.h>

#include <gtest/gtest.h>

#include "tools/lathe/interrupt.h"

namespace lathe::cli {
namespace {

using Event = LineReader::Event;

struct LineReaderTest : testing::Test {
  LineReaderTest() { EXPECT_EQ(pipe(ends), 0); }
  ~LineReaderTest() override {
    close(ends[0]);
    endInput();
  }
  void send(const std::string &text) {
    EXPECT_EQ(write(ends[1], text.data(), text.size()), static_cast<ssize_t>(text.size()));
  }
  void endInput() {
    if (ends[1] >= 0)
      close(ends[1]);
    ends[1] = -1;
  }

  int ends[2];
  std::string line;
};

TEST_F(LineReaderTest, givesLineAfterLine) {
  send("one\ntwo\r\n\nlast");
  endInput();
  LineReader reader(ends[0]);
  for (const char *expected : {"one", "two", "", "last"}) {
    EXPECT_EQ(reader.next(line), Event::line);
    EXPECT_EQ(line, expected);
  }
  EXPECT_EQ(reader.next(line), Event::end);
}

TEST_F(LineReaderTest, returnsWhenCtrlCComesWhileItWaits) {
  Interrupt interrupt;
  std::thread other([self = pthread_self()] {
    usleep(50000);
    pthread_kill(self, SIGINT);
  });
  LineReader reader(ends[0]);
  EXPECT_EQ(reader.next(line), Event::interrupted);
  other.join();
  EXPECT_TRUE(interrupt.requested());
  send("after\n");
  EXPECT_EQ(reader.next(line), Event::line);
  EXPECT_EQ(line, "after");
}

} // namespace
} // namespace lathe::cli
