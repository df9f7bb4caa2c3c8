#include "runtime/interrupt.h"

#include <csignal>

namespace avbench::runtime {
namespace {

// A signal handler can reach nothing else than a global.
volatile std::sig_atomic_t requested = 0;

void on_signal(int signal) {
  requested = 1;
  std::signal(signal, SIG_DFL);
}

}  // namespace

void install_interrupt_handler() {
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

bool interrupt_requested() { return requested != 0; }

void check_interrupt(const std::string& during) {
  if (interrupt_requested()) {
    throw Interrupted("interrupted while " + during + "; run the same command again to continue");
  }
}

}  // namespace avbench::runtime
