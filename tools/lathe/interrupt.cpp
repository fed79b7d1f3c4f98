#include "tools/lathe/interrupt.h"

#include <csignal>
#include <unistd.h>

#include "tools/lathe/command_line.h"

namespace lathe::cli {
namespace {

std::atomic<bool> requested_flag{false};
static_assert(std::atomic<bool>::is_always_lock_free); // a signal handler may set it

void onInterrupt(int) {
  if (requested_flag.exchange(true))
    _exit(kInterrupted);
}

void setHandler(void (*handler)(int)) {
  struct sigaction action = {};
  action.sa_handler = handler; // without SA_RESTART: a read() that waits must return
  sigaction(SIGINT, &action, nullptr);
}

} // namespace

Interrupt::Interrupt() {
  clear();
  setHandler(onInterrupt);
}

Interrupt::~Interrupt() { setHandler(SIG_DFL); }

const std::atomic<bool> *Interrupt::flag() const { return &requested_flag; }

bool Interrupt::requested() const { return requested_flag; }

void Interrupt::clear() { requested_flag = false; }

} // namespace lathe::cli
