#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>

#include "router/cli.hpp"
#include "router/commands.hpp"
#include "router/sysctl_file.hpp"

namespace nsr::router {
namespace {

// sysctl(8) as a client of the virtual files: the same words, the same exit codes.
struct SysctlOptions {
    bool all = false;
    bool write = false;
    bool values_only = false;
    bool names_only = false;
    bool ignore_unknown = false;
    bool quiet = false;
    bool load = false;
    std::vector<std::string> words;
};

class Sysctl {
  public:
    Sysctl(ControlTarget target, SysctlOptions options)
        : target_(std::move(target)), options_(std::move(options)) {}

    int run();

  private:
    void load_file(const std::string& path);
    void show(const std::string& name);
    void show_below(const std::string& name);
    void set(const std::string& name, const std::string& value, bool ignore_errors);
    void print(const std::string& name, const std::string& value) const;
    void fail(const std::string& message);

    ControlTarget target_;
    SysctlOptions options_;
    int exit_code_ = kSuccess;
};

std::string path_of(std::string name) {
    // Separators are dots; a slash is a dot inside a name.
    for (char& c : name) {
        c = c == '.' ? '/' : c == '/' ? '.' : c;
    }
    return "/proc/sys/" + name;
}

std::string first_line(std::string text) {
    text.erase(std::min(text.find('\n'), text.size()));
    return text;
}

// "EINVAL: Invalid argument (0..1)" without the name of the errno.
std::string reason_in(const std::string& body) {
    const std::string line = first_line(body);
    const auto colon = line.find(": ");
    return colon == std::string::npos ? line : line.substr(colon + 2);
}

}  // namespace

void add_sysctl_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand("sysctl", "Read and write sysctls, as sysctl(8)");
    command->footer(
        "Examples:\n  nsrouter sysctl -a | grep conntrack\n"
        "  nsrouter sysctl net.netfilter.nf_conntrack_count\n"
        "  nsrouter sysctl -w net.netfilter.nf_conntrack_max=100000\n  nsrouter sysctl -p");
    const ControlOptions control(*command);
    const auto options = std::make_shared<SysctlOptions>();
    command->add_flag("-a,-A,-X,--all", options->all, "show all");
    command->add_flag("-w,--write", options->write, "the words are settings");
    command->add_flag("-n,--values", options->values_only, "print values only");
    command->add_flag("-N,--names", options->names_only, "print names only");
    command->add_flag("-e,--ignore", options->ignore_unknown, "ignore unknown names");
    command->add_flag("-q,--quiet", options->quiet, "do not print what was set");
    command->add_flag("-p,-f,--load", options->load,
                      "read settings from the files given; /etc/sysctl.conf if none; - is standard "
                      "input");
    command->add_option("words", options->words, "NAME, NAME=VALUE, or files with -p");
    command->callback([control, options, &exit_code] {
        exit_code = guarded([&] { return Sysctl(control.target(), *options).run(); });
    });
}

namespace {

int Sysctl::run() {
    if (options_.load) {
        if (options_.words.empty()) {
            options_.words.emplace_back("/etc/sysctl.conf");
        }
        for (const std::string& path : options_.words) {
            load_file(path);
        }
        return exit_code_;
    }
    if (options_.all) {
        show_below({});
        return exit_code_;
    }
    if (options_.words.empty()) {
        std::fputs("nsrouter: sysctl needs a name, a setting, -a or -p\n", stderr);
        return kUsage;
    }
    for (const std::string& word : options_.words) {
        const auto equals = word.find('=');
        if (equals != std::string::npos) {
            set(dotted_sysctl_name(word.substr(0, equals)), word.substr(equals + 1), false);
        } else if (options_.write) {
            fail("\"" + word + "\" must be of the form name=value");
        } else {
            show(dotted_sysctl_name(word));
        }
    }
    return exit_code_;
}

void Sysctl::load_file(const std::string& path) {
    std::string text;
    if (path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        std::ifstream file(path);
        if (!file) {
            fail("cannot open \"" + path + "\": No such file or directory");
            return;
        }
        text.assign(std::istreambuf_iterator<char>(file), {});
    }
    const SysctlFile file = parse_sysctl_file(text, path);
    for (const ConfigError& error : file.errors) {
        fail(to_string(error));
    }
    for (const SysctlLine& line : file.lines) {
        set(line.name, line.value, line.ignore_errors);
    }
}

void Sysctl::show(const std::string& name) {
    const ControlReply reply = ask(target_, {"GET", percent_encode(path_of(name)), {}});
    if (reply.status == 404) {
        if (!options_.ignore_unknown) {
            fail("cannot stat " + path_of(name) + ": No such file or directory");
        }
        return;
    }
    if (!reply.ok()) {
        fail("reading key \"" + name + "\": " + reason_in(reply.body));
        return;
    }
    // A directory stands for all below it; sysctls themselves have exactly one line of value.
    const ControlReply below = ask(target_, {"GET", "/sysctl?under=" + percent_encode(name), {}});
    if (below.ok() && below.body.starts_with(name + " = ")) {
        print(name, first_line(reply.body));
    } else {
        show_below(name);
    }
}

void Sysctl::show_below(const std::string& name) {
    const ControlReply reply = ask(
        target_, {"GET", name.empty() ? "/sysctl" : "/sysctl?under=" + percent_encode(name), {}});
    for (std::size_t at = 0; at < reply.body.size();) {
        const std::size_t end = std::min(reply.body.find('\n', at), reply.body.size());
        const std::string line = reply.body.substr(at, end - at);
        at = end + 1;
        const auto equals = line.find(" = ");
        if (equals != std::string::npos) {
            print(line.substr(0, equals), line.substr(equals + 3));
        }
    }
}

void Sysctl::set(const std::string& name, const std::string& value, bool ignore_errors) {
    const auto begin = value.find_first_not_of(" \t\"");
    const auto end = value.find_last_not_of(" \t\"");
    const std::string trimmed =
        begin == std::string::npos ? std::string() : value.substr(begin, end - begin + 1);
    const std::string bare = name.substr(0, name.find_last_not_of(" \t") + 1);
    const ControlReply reply = ask(target_, {"PUT", percent_encode(path_of(bare)), trimmed + "\n"});
    if (reply.ok()) {
        if (!options_.quiet) {
            print(bare, trimmed);
        }
    } else if (reply.status == 404) {
        if (!options_.ignore_unknown && !ignore_errors) {
            fail("cannot stat " + path_of(bare) + ": No such file or directory");
        }
    } else if (!ignore_errors) {
        fail("setting key \"" + bare + "\": " + reason_in(reply.body));
    }
}

void Sysctl::print(const std::string& name, const std::string& value) const {
    if (options_.names_only) {
        std::printf("%s\n", name.c_str());
    } else if (options_.values_only) {
        std::printf("%s\n", value.c_str());
    } else {
        std::printf("%s = %s\n", name.c_str(), value.c_str());
    }
}

void Sysctl::fail(const std::string& message) {
    std::fprintf(stderr, "sysctl: %s\n", message.c_str());
    exit_code_ = kFailure;
}

}  // namespace

}  // namespace nsr::router
