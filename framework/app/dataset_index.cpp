// avbench dataset index SOURCE: examines every file of a data set.
#include <fmt/format.h>

#include <map>
#include <memory>
#include <string>

#include "app/commands.h"
#include "app/data_options.h"
#include "data/dataset.h"
#include "data/index_cache.h"
#include "io/json.h"

namespace avbench::app {
namespace {

struct IndexArguments {
  std::string source;
  int64_t workers = 0;
  bool json = false;
};

io::Json status_counts(const data::Dataset& dataset) {
  std::map<std::string, int64_t> counts;
  for (const media::FileStatus status : media::all_statuses())
    counts[std::string(to_string(status))] = 0;
  for (const data::Split split : data::kSplits) counts["ok"] += dataset.size(split);
  for (const auto* list : {&dataset.excluded(), &dataset.damaged()}) {
    for (const data::BadFile& file : *list) ++counts[std::string(to_string(file.status))];
  }
  counts["ok"] -= static_cast<int64_t>(dataset.damaged().size());
  return counts;
}

io::Json class_counts(const data::Dataset& dataset, data::Split split) {
  io::Json counts = io::Json::object();
  for (const std::string& name : dataset.classes()) counts[name] = 0;
  for (const int64_t label : dataset.labels(split)) {
    io::Json& count = counts[dataset.classes()[label]];
    count = count.get<int64_t>() + 1;
  }
  return counts;
}

io::Json copies(const data::Dataset& dataset) {
  io::Json list = io::Json::array();
  for (const auto& [a, b] : dataset.copies()) {
    list.push_back({{"a", a.id},
                    {"a_split", std::string(to_string(a.split))},
                    {"b", b.id},
                    {"b_split", std::string(to_string(b.split))}});
  }
  return list;
}

io::Json listed(const std::vector<data::BadFile>& files) {
  io::Json list = io::Json::array();
  for (const data::BadFile& file : files) {
    list.push_back({{"id", file.id},
                    {"path", file.path.string()},
                    {"split", std::string(to_string(file.split))},
                    {"status", std::string(to_string(file.status))},
                    {"message", file.message}});
  }
  return list;
}

io::Json describe(const data::Dataset& dataset, const std::string& source) {
  io::Json splits = io::Json::object();
  for (const data::Split split : data::kSplits) {
    splits[std::string(to_string(split))] = {{"files", dataset.size(split)},
                                             {"classes", class_counts(dataset, split)}};
  }
  io::Json hashes = io::Json::object();
  for (const data::Split split : data::kSplits)
    hashes[std::string(to_string(split))] = dataset.hash(split);
  return {{"source", source},
          {"classes", dataset.classes()},
          {"status", status_counts(dataset)},
          {"splits", splits},
          {"excluded", listed(dataset.excluded())},
          {"damaged", listed(dataset.damaged())},
          {"copies", copies(dataset)},
          {"hash", hashes},
          {"index", data::index_cache_file(source).string()}};
}

void print_files(const char* title, const io::Json& files) {
  if (!files.empty()) fmt::print("{}\n", title);
  for (const io::Json& file : files) {
    fmt::print("  {:<12} {}: {}\n", file["status"].get<std::string>(),
               file["path"].get<std::string>(), file["message"].get<std::string>());
  }
}

// What an empty split keeps from working.
std::string missing(data::Split split) {
  switch (split) {
    case data::Split::kTrain:
      return ": nothing can be trained";
    case data::Split::kVal:
      return ": no checkpoint can be chosen, so nothing can be finetuned";
    case data::Split::kTest:
      return ": `avbench compare` needs --validation";
  }
  return "";
}

void print_text(const io::Json& d) {
  fmt::print("{}: {} classes\n", d["source"].get<std::string>(), d["classes"].size());
  for (const data::Split split : data::kSplits) {
    const std::string name(to_string(split));
    const auto files = d["splits"][name]["files"].get<int64_t>();
    fmt::print("  {:<6} {} usable files{}\n", name, files, files == 0 ? missing(split) : "");
  }
  for (const auto& [status, count] : d["status"].items()) {
    if (count > 0) fmt::print("  {:<12} {}\n", status, count.get<int64_t>());
  }
  print_files("files that cannot be used:", d["excluded"]);
  print_files("files that are used although they are damaged:", d["damaged"]);
  if (!d["copies"].empty()) fmt::print("the same bytes in different splits:\n");
  for (const io::Json& copy : d["copies"]) {
    fmt::print("  {} {} and {} {}\n", copy["a_split"].get<std::string>(),
               copy["a"].get<std::string>(), copy["b_split"].get<std::string>(),
               copy["b"].get<std::string>());
  }
  fmt::print("index kept in {}\n", d["index"].get<std::string>());
}

void run(const IndexArguments& arguments, const DataOptions& options) {
  config::Experiment experiment = read_settings(options);
  experiment.protocol.data.source = arguments.source;
  experiment.run.cache_mib = 0;
  if (arguments.workers > 0) experiment.run.workers = arguments.workers;
  const auto dataset = data::Dataset::open(experiment.protocol.data, experiment.protocol.clip,
                                           experiment.protocol.spectrogram, experiment.run,
                                           reading_progress("indexing"));
  const io::Json description = describe(*dataset, arguments.source);
  if (arguments.json) {
    fmt::print("{}\n", description.dump(2));
  } else {
    print_text(description);
  }
}

}  // namespace

void add_dataset_index_command(CLI::App& dataset) {
  auto* command = dataset.add_subcommand(
      "index", "Decode every file once: which can be used, and why the others cannot");
  const auto arguments = std::make_shared<IndexArguments>();
  const auto options = add_data_options(*command);
  command
      ->add_option("SOURCE", arguments->source,
                   "folder <split>/<class>/<file>, or a CSV manifest path,label,split[,start,end]")
      ->required();
  command->add_option("--workers", arguments->workers, "threads; 0: the configuration's")
      ->check(CLI::Range(int64_t{0}, int64_t{1024}));
  command->add_flag("--json", arguments->json, "print the result as JSON");
  command->callback([arguments, options] { run(*arguments, *options); });
}

}  // namespace avbench::app
