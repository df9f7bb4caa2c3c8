// avbench completion bash|zsh: a script that completes commands, options, methods and files.
#include <fmt/format.h>

#include <memory>
#include <string>
#include <string_view>

#include "app/commands.h"
#include "config/varies.h"
#include "io/error.h"
#include "io/strings.h"

namespace avbench::app {
namespace {

// Options as typed, without the "--help" that every command has.
std::vector<std::string> words_of(const CLI::App& app) {
  std::vector<std::string> words;
  for (const CLI::App* sub : app.get_subcommands({})) words.push_back(sub->get_name());
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) words.push_back("--" + name);
  }
  return words;
}

bool takes_method(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional() && option->get_name() == "METHOD") return true;
  }
  return false;
}

// Not those whose --set is for a method's parameters.
bool takes_keys(const CLI::App& app) {
  for (const CLI::Option* option : app.get_options()) {
    if (option->check_lname("set") && option->get_type_name() == "KEY=VALUE") return true;
  }
  return false;
}

// One line a command: its path, how it is completed. The table is made from the parser itself, so
// that it cannot fall behind.
void add_cases(const CLI::App& app, const std::string& path, std::string& cases) {
  const std::string methods = takes_method(app) ? " $(_avbench_methods)" : "";
  const char* keys = takes_keys(app) ? " keys=yes" : "";
  cases += fmt::format("    '{}') words=\"{}{}\"{} ;;\n", path, io::join(words_of(app), " "),
                       methods, keys);
  for (const CLI::App* sub : app.get_subcommands({})) {
    add_cases(*sub, path + (path.empty() ? "" : " ") + sub->get_name(), cases);
  }
}

std::string command_names(const CLI::App& app) {
  std::string names;
  for (const CLI::App* sub : app.get_subcommands({})) {
    names += ' ' + sub->get_name() + command_names(*sub);
  }
  return names;
}

// What does not depend on the commands stands here as it is printed; @NAMES@, @CASES@ and @KEYS@
// are filled.
constexpr const char* kBashScript =
    R"sh(# avbench completion for bash: eval "$(avbench completion bash)"
_avbench_methods() {
  avbench methods --json 2>/dev/null | sed -n 's/^      "name": "\(.*\)",$/\1/p'
}
_avbench() {
  local current=${COMP_WORDS[COMP_CWORD]} command= word words= keys=
  for word in "${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "@NAMES@ " in *" $word "*) command="${command:+$command }$word" ;; esac
  done
  case "$command" in
@CASES@  esac
  if [[ -n $keys && ${COMP_WORDS[COMP_CWORD-1]} == --set ]]; then
    compopt -o nospace 2>/dev/null
    COMPREPLY=($(compgen -S = -W "@KEYS@" -- "$current"))
    return
  fi
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  if [[ $current != -* ]]; then
    compopt -o filenames 2>/dev/null
    COMPREPLY+=($(compgen -f -- "$current"))
  fi
}
complete -F _avbench avbench
)sh";

std::string bash_script(const CLI::App& app) {
  std::string script = kBashScript, cases;
  add_cases(app, "", cases);
  const auto fill = [&](std::string_view mark, const std::string& text) {
    script.replace(script.find(mark), mark.size(), text);
  };
  fill("@NAMES@", command_names(app));
  fill("@CASES@", cases);
  fill("@KEYS@", io::join(config::settable_keys(), " "));
  return script;
}

// zsh runs the bash function through its own emulation.
std::string zsh_script(const CLI::App& app) {
  return "# avbench completion for zsh: eval \"$(avbench completion zsh)\"\n"
         "autoload -Uz compinit bashcompinit && compinit && bashcompinit\n" +
         bash_script(app);
}

}  // namespace

void add_completion_command(CLI::App& app) {
  auto* command = app.add_subcommand(
      "completion", "Print a completion script: eval \"$(avbench completion bash)\"");
  const auto shell = std::make_shared<std::string>("bash");
  command->add_option("SHELL", *shell, "bash or zsh")
      ->check(CLI::IsMember({"bash", "zsh"}))
      ->capture_default_str();
  command->callback(
      [shell, &app] { fmt::print("{}", *shell == "bash" ? bash_script(app) : zsh_script(app)); });
}

}  // namespace avbench::app
