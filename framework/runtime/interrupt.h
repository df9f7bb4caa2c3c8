// Ctrl-C asks a run to stop at the next safe point; a second one kills it.
#pragma once

#include <stdexcept>
#include <string>

namespace avbench::runtime {

// Ends in exit code 130; the message says what was saved and how to continue.
class Interrupted : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

void install_interrupt_handler();
bool interrupt_requested();

// Throws Interrupted where nothing needs to be saved first.
void check_interrupt(const std::string& during);

}  // namespace avbench::runtime
