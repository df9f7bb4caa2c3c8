// The commands that help a user to find their way: doctor and completion.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>

#include "app/run_avbench.h"

namespace avbench::app {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

TEST(DoctorCommand, NamesVersionsCodecsAndMethods) {
  const Outcome outcome = run_avbench("doctor --json");
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  std::map<std::string, json> found;
  for (const json& item : json::parse(outcome.out)) found[item.at("name")] = item;
  EXPECT_THAT(found.at("plugin interface").at("value"), HasSubstr("avbench_abi_"));
  EXPECT_THAT(found.at("methods").at("value"), HasSubstr("simclr"));
  EXPECT_THAT(found.at("FFmpeg").at("value"), HasSubstr("libavcodec"));
  EXPECT_EQ(found.at("missing formats").at("status"), "ok");
  EXPECT_THAT(found.at("containers").at("value"), HasSubstr("matroska"));
  EXPECT_THAT(found.at("video codecs").at("value"), HasSubstr("h264"));
  EXPECT_THAT(found.at("audio codecs").at("value"), HasSubstr("aac"));
}

TEST(DoctorCommand, SaysWhyPluginsWereRefused) {
  const std::string path = std::string("AVBENCH_PLUGIN_PATH=") + BAD_PLUGINS;
  const Outcome outcome = run_avbench("doctor", path);
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out,
              AllOf(HasSubstr("refused plugin"), HasSubstr("other_abi.so: built for another")));
}

// What bash offers after `words`, the last of which is being typed.
std::string offered(const std::string& words) {
  const io::TempFolder folder;
  std::ofstream(folder / "try.sh")
      << "avbench() { " << AVBENCH_PROGRAM << " \"$@\"; }\neval \"$(avbench completion bash)\"\n"
      << "COMP_WORDS=(" << words << "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1))\n"
      << "_avbench; printf '%s\\n' \"${COMPREPLY[@]}\" >" << (folder / "out").string() << "\n";
  const std::string command = "cd " + folder.path().string() + " && bash try.sh";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return io::read_file(folder / "out");
}

TEST(CompletionCommand, CompletesCommandsOptionsMethodsAndFiles) {
  EXPECT_EQ(offered("avbench pret"), "pretrain\n");
  EXPECT_EQ(offered("avbench dataset sy"), "synth\n");
  EXPECT_EQ(offered("avbench compare --dry"), "--dry-run\n");
  EXPECT_EQ(offered("avbench describe sims"), "simsiam\n");
  EXPECT_EQ(offered("avbench compare tr"), "try.sh\n");
  EXPECT_EQ(offered("avbench compare c.yaml --set protocol.clip.fr"), "protocol.clip.frames=\n");
  EXPECT_EQ(offered("avbench bench step --set run.thr"), "run.threads=\n");
  EXPECT_EQ(offered("avbench loss simclr --set protocol.clip.fr"), "\n");  // parameters
}

TEST(CompletionCommand, RefusesAShellItDoesNotKnow) {
  const Outcome outcome = run_avbench("completion fish");
  EXPECT_EQ(outcome.exit_code, 2);
  EXPECT_THAT(outcome.err, HasSubstr("zsh"));
}

}  // namespace
}  // namespace avbench::app
