#include <unistd.h>

#include <gmock/gmock.h>

#include "tests/unit/scratch_folder.h"
#include "tests/unit/tools/lathe/program.h"
#include "tests/unit/tools/lathe/toy_model.h"

namespace lathe::cli {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class ChatVerb : public testing::Test {
protected:
  void write(uint32_t context, int32_t microseconds = 0) {
    ToyOptions options;
    options.context = context;
    options.microseconds = microseconds;
    writeToyModel(toy, options);
  }
  Ended chat(const std::string &input, std::vector<std::string> more = {"--max-new", "6"}) {
    std::vector<std::string> words = {"run", toy, "--chat"};
    words.insert(words.end(), more.begin(), more.end());
    return lathe(words, input);
  }

  ScratchFolder folder;
  std::string toy = folder / "toy.lathe";
};

TEST_F(ChatVerb, answersEachLineAndEndsWithTheInput) {
  write(256);
  Ended one = chat("Hello\n"), two = chat("Hello\nMore\n");
  EXPECT_EQ(one.status, 0) << one.err;
  EXPECT_THAT(one.out, Not(IsEmpty()));
  EXPECT_EQ(two.out.substr(0, one.out.size()), one.out);
  EXPECT_GT(two.out.size(), one.out.size());
  EXPECT_EQ(two.err, "");
}

TEST_F(ChatVerb, resetForgetsWhatWasSaid) {
  write(256);
  Ended once = chat("Hello\n"), reset = chat("Hello\n/reset\nHello\n"), on = chat("Hello\nHello\n");
  EXPECT_EQ(reset.out, once.out + once.out);
  EXPECT_NE(on.out, reset.out);
}

TEST_F(ChatVerb, helpListsTheCommandsAndAWrongOneNamesTheNearest) {
  write(256);
  Ended ended = chat("/help\n/rest\n\n");
  EXPECT_EQ(ended.out, "");
  EXPECT_THAT(ended.err, HasSubstr("/reset   forget the conversation"));
  EXPECT_THAT(ended.err, HasSubstr("no such command: /rest; did you mean /reset?"));
}

TEST_F(ChatVerb, saysThatTheContextIsFull) {
  write(32);
  Ended ended = chat("Hello\nMore\n", {});
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.err, HasSubstr("note: the context of 32 tokens is full; /reset starts"));
  EXPECT_THAT(ended.err, HasSubstr("but the context holds 32; /reset starts a new one"));
}

TEST_F(ChatVerb, ctrlCEndsTheAnswerAndNotTheProgram) {
  write(4096, 2000);
  Program program({"run", toy, "--chat"});
  program.send("Hello\n");
  program.waitForOutput();
  program.interrupt();
  program.send("/reset\n/help\n");
  Ended ended = program.end();
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.err, HasSubstr("/help"));
}

TEST_F(ChatVerb, ctrlCWhileItWaitsSaysHowToEndIt) {
  write(256);
  Program program({"run", toy, "--chat", "--max-new", "3"});
  program.send("Hello\n");
  program.waitForOutput();
  usleep(100000); // until it waits again
  program.interrupt();
  usleep(100000);
  program.send("More\n");
  Ended ended = program.end();
  EXPECT_EQ(ended.status, 0);
  EXPECT_THAT(ended.err, HasSubstr("(Ctrl-D ends the program)"));
}

TEST_F(ChatVerb, needsAChatTemplate) {
  ToyOptions options;
  options.chat_template = false;
  writeToyModel(toy, options);
  Ended ended = chat("Hello\n");
  EXPECT_EQ(ended.status, 1);
  EXPECT_THAT(ended.err, HasSubstr("has no chat template"));
}

} // namespace
} // namespace lathe::cli
