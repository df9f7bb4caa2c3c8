#include "runtime/trace.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "io/atomic_file.h"
#include "io/error.h"
#include "io/message.h"
#include "io/temp_folder.h"

namespace avbench::runtime {
namespace {

using Json = nlohmann::json;

std::vector<Json> events(const Json& trace, const std::string& name) {
  std::vector<Json> found;
  for (const Json& event : trace) {
    if (event.at("name") == name) found.push_back(event);
  }
  return found;
}

TEST(Trace, HoldsNestedPhasesInsideEachOther) {
  const io::TempFolder folder;
  start_trace(folder / "t.json");
  {
    const TracePhase outer("step", "\"7\"");
    const TracePhase inner("backward");
  }
  finish_trace();
  const Json trace = Json::parse(io::read_file(folder / "t.json"));
  const Json outer = events(trace, "step").at(0), inner = events(trace, "backward").at(0);
  EXPECT_EQ(outer.at("ph"), "X");
  EXPECT_EQ(outer.at("args").at("detail"), "\"7\"");
  EXPECT_LE(outer.at("ts").get<double>(), inner.at("ts").get<double>());
  EXPECT_GE(outer.at("ts").get<double>() + outer.at("dur").get<double>(),
            inner.at("ts").get<double>() + inner.at("dur").get<double>());
}

// Waits until the clock has moved on.
void pass_time() {
  const auto begin = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - begin < std::chrono::milliseconds(2)) {
  }
}

TEST(PhaseTimes, APhaseIsNotCountedInTheOneAroundIt) {
  const PhaseTimes times;
  const auto begin = std::chrono::steady_clock::now();
  {
    const TracePhase outer("loss");
    pass_time();
    for (int i = 0; i < 2; ++i) {
      const TracePhase inner("tower");
      pass_time();
    }
  }
  const double all =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  const auto& seconds = times.seconds();
  ASSERT_EQ(seconds.size(), 2u);
  EXPECT_GE(seconds.at("tower"), 0.004);
  EXPECT_GE(seconds.at("loss"), 0.002);
  EXPECT_LE(seconds.at("loss") + seconds.at("tower"), all);
}

TEST(PhaseTimes, OnlyTheOwnThreadAndLifetimeCount) {
  { const TracePhase before("before"); }
  const PhaseTimes times;
  std::jthread([] { const TracePhase elsewhere("elsewhere"); }).join();
  {
    const PhaseTimes inner;
    { const TracePhase phase("inside"); }
    EXPECT_EQ(inner.seconds().size(), 1u);
  }
  EXPECT_TRUE(times.seconds().empty());
  { const TracePhase phase("after"); }
  EXPECT_EQ(times.seconds().count("after"), 1u);
}

TEST(Trace, TellsThreadsApartAndNamesThem) {
  const io::TempFolder folder;
  start_trace(folder / "t.json");
  std::jthread([] {
    name_trace_thread("loader 0");
    const TracePhase phase("decode");
  }).join();
  { const TracePhase phase("step"); }
  finish_trace();
  const Json trace = Json::parse(io::read_file(folder / "t.json"));
  const Json named = events(trace, "thread_name").at(0);
  EXPECT_EQ(named.at("args").at("name"), "loader 0");
  EXPECT_EQ(named.at("tid"), events(trace, "decode").at(0).at("tid"));
  EXPECT_NE(named.at("tid"), events(trace, "step").at(0).at("tid"));
}

TEST(Trace, RecordsNothingBeforeItStartsAndAfterItEnds) {
  const io::TempFolder folder;
  { const TracePhase early("early"); }
  start_trace(folder / "t.json");
  finish_trace();
  { const TracePhase late("late"); }
  const Json trace = Json::parse(io::read_file(folder / "t.json"));
  EXPECT_TRUE(events(trace, "early").empty());
  EXPECT_TRUE(events(trace, "late").empty());
}

TEST(Trace, RefusesASecondOneAndAFolderThatIsNotThere) {
  const io::TempFolder folder;
  EXPECT_THAT(io::user_error([&] { start_trace(folder / "none" / "t.json"); }),
              testing::HasSubstr("No such file"));
  start_trace(folder / "t.json");
  EXPECT_THAT(io::user_error([&] { start_trace(folder / "u.json"); }),
              testing::HasSubstr("already"));
  finish_trace();
}

TEST(Trace, SaysThatTheDiskIsFull) {
  start_trace("/dev/full");
  { const TracePhase phase("step"); }
  EXPECT_THAT([] { finish_trace(); },
              testing::ThrowsMessage<std::runtime_error>(testing::HasSubstr("No space left")));
}

}  // namespace
}  // namespace avbench::runtime
