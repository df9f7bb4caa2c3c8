// The program as a user runs it.
#pragma once

#include <sys/wait.h>

#include <cstdlib>
#include <nlohmann/json.hpp>
#include <string>

#include "io/atomic_file.h"
#include "io/temp_folder.h"

namespace avbench::app {

struct Outcome {
  int exit_code;
  std::string out, err;
};

// `arguments` go through the shell, `environment` is a prefix such as "NAME=value ".
inline Outcome run_avbench(const std::string& arguments, const std::string& environment = "") {
  const io::TempFolder folder;
  const auto out = folder / "out", err = folder / "err";
  const std::string command = environment + " " + AVBENCH_PROGRAM + " " + arguments + " >" +
                              out.string() + " 2>" + err.string();
  const int status = std::system(command.c_str());
  return {WIFEXITED(status) ? WEXITSTATUS(status) : -1, io::read_file(out), io::read_file(err)};
}

}  // namespace avbench::app
