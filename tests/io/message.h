// The message that a call throws as a UserError.
#pragma once

#include <gtest/gtest.h>

#include <string>

#include "io/error.h"

namespace avbench::io {

template <class F>
std::string user_error(F call) {
  try {
    call();
  } catch (const UserError& error) {
    return error.what();
  }
  ADD_FAILURE() << "no UserError was thrown";
  return "";
}

}  // namespace avbench::io
