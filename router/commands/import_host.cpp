#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include "netlink/error.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/config/load.hpp"
#include "router/import/import.hpp"
#include "router/import/script.hpp"
#include "router/replay/replay.hpp"

namespace nsr::router {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLeftOutFile = "left-out.txt";

struct ImportArguments {
    std::string netns;
    std::string from;
    std::string into = "imported-host";
    bool script = false;
    bool strict = false;
};

// A folder that goes with it, unless it was given its name.
class NewFolder {
  public:
    explicit NewFolder(std::string beside) {
        beside.erase(beside.find_last_not_of('/') + 1);
        std::string name = beside + ".XXXXXX";
        if (::mkdtemp(name.data()) == nullptr) {
            throw SystemError("make a folder " + name, errno);
        }
        path_ = name;
    }
    NewFolder(const NewFolder&) = delete;
    NewFolder& operator=(const NewFolder&) = delete;
    ~NewFolder() {
        std::error_code ignored;
        if (!path_.empty()) {
            fs::remove_all(path_, ignored);
        }
    }
    [[nodiscard]] const std::string& path() const { return path_; }
    void rename(const std::string& to) {
        fs::rename(path_, to);
        path_.clear();
    }

  private:
    std::string path_;
};

int usage(const char* what) {
    std::fprintf(stderr, "nsrouter: %s\n", what);
    return kUsage;
}

// An empty folder may be there.
void require_free(const std::string& into) {
    std::error_code ignored;
    if (fs::exists(into, ignored) &&
        !(fs::is_directory(into, ignored) && fs::is_empty(into, ignored))) {
        throw std::runtime_error(into + " is there already; -o names another folder");
    }
}

std::string lines_of(const ConfigErrors& all) {
    std::string text;
    for (const ConfigError& each : all) {
        text += to_string(each) + "\n";
    }
    return text;
}

void write_left_out(const fs::path& path, const ConfigErrors& left_out) {
    std::ofstream file(path);
    if (!(file << lines_of(left_out) << std::flush)) {
        throw SystemError("write " + path.string(), errno);
    }
}

void print_summary(const Imported& done, const std::string& into) {
    std::printf(
        "%s: %zu interfaces, %zu addresses, %zu routes, %zu routing rules, %zu rules, %zu sets, "
        "%zu sysctls, %zu connections; %zu left out\n",
        into.c_str(), done.interfaces, done.addresses, done.routes, done.routing_rules, done.rules,
        done.sets, done.sysctls, done.connections, done.left_out.size());
}

int import_from(const std::string& from, const ImportArguments& arguments) {
    NewFolder folder(arguments.into);
    const auto done = import_host(from, folder.path(), kReplayMemoryBytes);
    if (!done) {
        std::fputs(in_lines(done.error()).c_str(), stderr);
        return kFailure;
    }
    std::fputs(warnings_in_lines(done->notes).c_str(), stderr);
    std::fputs(in_lines(done->left_out).c_str(), stderr);
    if (arguments.strict && !done->left_out.empty()) {
        std::fprintf(stderr,
                     "nsrouter: %zu cannot be taken over, so nothing is written (--strict)\n",
                     done->left_out.size());
        return kFailure;
    }
    if (!done->left_out.empty()) {
        write_left_out(fs::path(folder.path()) / kLeftOutFile, done->left_out);
    }
    folder.rename(arguments.into);
    print_summary(*done, arguments.into);
    return kSuccess;
}

int import(const ImportArguments& arguments) {
    if (arguments.script) {
        std::fputs(import_script().c_str(), stdout);
        return kSuccess;
    }
    if (!arguments.netns.empty() && !arguments.from.empty()) {
        return usage("import-host takes the name of a namespace or --from DIR, not both");
    }
    require_free(arguments.into);
    if (!arguments.from.empty()) {
        return import_from(arguments.from, arguments);
    }
    const NewFolder dumps((fs::temp_directory_path() / "nsrouter-dump").string());
    const std::string inside = dumps.path() + "/dump";  // the script makes it
    ask_machine(arguments.netns, inside);
    return import_from(inside, arguments);
}

constexpr const char* kFooter =
    R"(A machine where nothing may be installed runs the script and gives back its
folder of texts. What cannot be taken over is told, a line each, and is in DIR,
too (left-out.txt); the rest is imported. `explain --config DIR/nsrouter.toml
--state DIR/conntrack.txt PACKET` answers for that machine then.

Examples:
  nsrouter import-host -o here
  nsrouter import-host lab -o lab
  nsrouter import-host --script | ssh root@gateway 'sh -s /tmp/dump'
  nsrouter import-host --from dump -o gateway --strict)";

}  // namespace

void add_import_host_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "import-host", "Make a configuration of what a Linux machine has, to explain its packets");
    command->footer(kFooter);
    const auto arguments = std::make_shared<ImportArguments>();
    command->add_option("NETNS", arguments->netns,
                        "the namespace to ask: a name, a path, pid:N; without one the present one");
    command->add_option("--from", arguments->from, "a folder with what the script has written")
        ->type_name("DIR");
    command->add_option("-o,--output", arguments->into, "the folder that is made (imported-host)")
        ->type_name("DIR");
    command->add_flag("--script", arguments->script, "print the script that asks a machine");
    command->add_flag("--strict", arguments->strict,
                      "write nothing if anything cannot be taken over");
    command->callback(
        [arguments, &exit_code] { exit_code = guarded([&] { return import(*arguments); }); });
}

}  // namespace nsr::router
