#include "plugin/load.h"

#define BOOST_DLL_USE_STD_FS
#include <algorithm>
#include <boost/dll/shared_library.hpp>
#include <vector>

#include "io/elf_symbols.h"
#include "io/error.h"
#include "io/strings.h"
#include "plugin/record.h"

namespace avbench::plugin {
namespace {

constexpr const char* kTagPrefix = "avbench_abi_";
constexpr const char* kRecordSymbol = "avbench_method_plugin";

[[noreturn]] void refuse(const std::filesystem::path& file, const std::string& reason) {
  throw io::UserError(file.string() + ": " + reason);
}

std::vector<std::string> read_symbols(const std::filesystem::path& file) {
  try {
    return io::exported_symbols(file);
  } catch (const std::exception& error) {
    refuse(file, error.what());
  }
}

void check_abi(const std::filesystem::path& file) {
  const std::vector<std::string> symbols = read_symbols(file);
  const auto has = [&](const std::string& name) {
    return std::find(symbols.begin(), symbols.end(), name) != symbols.end();
  };
  std::vector<std::string> tags;
  std::copy_if(symbols.begin(), symbols.end(), std::back_inserter(tags),
               [](const std::string& name) { return name.starts_with(kTagPrefix); });
  if (tags.empty()) {
    refuse(file, "not an avbench plugin: got no symbol avbench_abi_…, expected " + host_abi_tag() +
                     " (the plugin's last line is AVBENCH_PLUGIN(record))");
  }
  if (!has(host_abi_tag())) {
    refuse(file, "built for another avbench or LibTorch: got " + io::join(tags) + ", expected " +
                     host_abi_tag() + "; rebuild the plugin against this avbench");
  }
  if (!has(kRecordSymbol)) refuse(file, std::string("exports no ") + kRecordSymbol + "()");
}

// The loader's own words out of Boost's "… (dlerror system message: FILE: WORDS): CODE".
std::string loader_message(const std::string& what, const std::filesystem::path& file) {
  const std::string before = "dlerror system message: ";
  const auto begin = what.find(before);
  const auto end = what.rfind("): ");
  if (begin == std::string::npos || end == std::string::npos) return what;
  const std::string words = what.substr(begin + before.size(), end - begin - before.size());
  const std::string prefix = file.string() + ": ";
  return words.starts_with(prefix) ? words.substr(prefix.size()) : words;
}

boost::dll::shared_library open_library(const std::filesystem::path& file) {
  using boost::dll::load_mode::rtld_local, boost::dll::load_mode::rtld_now;
  try {
    return boost::dll::shared_library(file, rtld_now | rtld_local);
  } catch (const std::exception& error) {
    refuse(file, "cannot be loaded: " + loader_message(error.what(), file));
  }
}

const MethodPlugin* ask_for_record(const boost::dll::shared_library& library,
                                   const std::filesystem::path& file) {
  const auto record = library.get<const MethodPlugin*()>(kRecordSymbol);
  try {
    return record();
  } catch (const std::exception& error) {
    refuse(file, std::string(kRecordSymbol) + "() failed: " + error.what());
  } catch (...) {
    refuse(file, std::string(kRecordSymbol) + "() threw something that is no std::exception");
  }
}

}  // namespace

std::string host_abi_tag() { return AVBENCH_TEXT(AVBENCH_ABI_TAG); }

LoadedPlugin load_plugin(const std::filesystem::path& path) {
  const std::filesystem::path file = std::filesystem::absolute(path).lexically_normal();
  check_abi(file);
  // Plugins are linked with nodelete, so the record outlives this handle.
  const boost::dll::shared_library library = open_library(file);
  const MethodPlugin* record = ask_for_record(library, file);
  const std::vector<std::string> faults = record_faults(record);
  if (!faults.empty()) refuse(file, "its record is faulty: " + io::join(faults, "; "));
  return {record, file, &library.get<const char>(host_abi_tag())};
}

}  // namespace avbench::plugin
