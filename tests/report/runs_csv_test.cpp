#include "report/runs_csv.h"

#include "report/table_fixture.h"

namespace avbench::report {
namespace {

using RunsCsv = Table;

const std::string kHeader =
    "row,method,modality,seed,accuracy,validation,train_accuracy,finetune_steps,forward_passes,"
    "clips_per_second,waiting_share,peak_memory_bytes,seconds,chance,labels_train,"
    "labels_validation,clipped_share,collapse,pretrain,run,protocol,control_of,stale\n";

TEST_F(RunsCsv, ListsEveryFinishedRun) {
  add("A", 0, 0.5);
  add("A", 1, 0.75, "p", "flat, as ever");
  add("B", 1, 0.25);
  auto entries = entries_of({"A", "B"});
  entries.back().stale = true;
  entries.back().control_of = "A";
  EXPECT_EQ(
      runs_csv(entries),
      kHeader +
          "A,simclr,both,0,0.5,0.5,1,7,2,10,0.2,1048576,3,0.125,40,80,0,,0b5e,9a1d,p,,false\n"
          "A,simclr,both,1,0.75,0.5,1,7,2,20,0.2,2097152,3,0.125,40,80,0,\"flat, as ever\",0b5e,"
          "9a1d,p,,false\n"
          "B,simclr,both,1,0.25,0.5,1,7,2,20,0.2,2097152,3,0.125,40,80,0,,0b5e,9a1d,p,A,true\n");
}

TEST_F(RunsCsv, LeavesTheAccuracyEmptyWhereNothingWasTested) {
  add("A", 0, 0.5);
  summaries_[{"A", 0}].accuracy.reset();
  EXPECT_EQ(
      runs_csv(entries_of({"A"})),
      kHeader + "A,simclr,both,0,,0.5,1,7,2,10,0.2,1048576,3,0.125,40,80,0,,0b5e,9a1d,p,,false\n");
}

TEST_F(RunsCsv, WithoutRunsHasItsHeader) { EXPECT_EQ(runs_csv({}), kHeader); }

}  // namespace
}  // namespace avbench::report
