// Every key of a configuration file, as text for people.
#pragma once

#include <string>
#include <vector>

namespace avbench::config {

struct KeyDoc {
  std::string path;           // "protocol.clip.frames"; keys of a row: "rows[].method"
  std::string type;           // for people: "integer", "list of integers", "path", "map", ...
  std::string default_value;  // as JSON; of a map: what it starts from
  std::string allowed;        // "1 to 1024", "all, frozen", or ""
  std::string doc;
};

// In the order of fields().
std::vector<KeyDoc> document_keys();

// The same as the Markdown of docs/configuration.md: a table a section.
std::string document_markdown();

}  // namespace avbench::config
