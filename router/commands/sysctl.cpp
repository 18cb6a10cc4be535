#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <iostream>
#include <iterator>
#include <map>

#include "core/base/words.hpp"
#include "router/base/text_file.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/name_pattern.hpp"
#include "router/config/sysctl_file.hpp"

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
    bool dry_run = false;
    bool nothing = false;  // of options that do nothing
    bool binary = false;
    bool version = false;
    bool load = false;
    bool system = false;
    std::string pattern;
    std::vector<std::string> files;  // of -p; the words are files, too, then
    std::vector<std::string> words;
};

class Sysctl {
  public:
    Sysctl(ControlTarget target, SysctlOptions options)
        : target_(std::move(target)), options_(std::move(options)), pattern_(options_.pattern) {}

    int run();

  private:
    void load_system();
    void load_file(const std::string& path);
    void complain_about_lines(const SysctlFile& file, const std::string& text,
                              const std::string& path) const;
    void set_all(const SysctlLine& line, const SysctlFile& file);
    [[nodiscard]] std::vector<std::string> all_names() const;
    [[nodiscard]] bool is_torn(std::size_t at) const;
    std::size_t complain_about_torn(std::size_t at);
    void carry_out(const std::string& word);
    void show(const std::string& name);
    void show_below(const std::string& name);
    void set(const std::string& name, const std::string& value, bool ignore_errors);
    void print(const std::string& name, const std::string& value) const;
    void fail_unknown(const std::string& name, const std::string& reason);
    void fail(const std::string& message);
    static void complain(const std::string& message);

    ControlTarget target_;
    SysctlOptions options_;
    NamePattern pattern_;
    int exit_code_ = kSuccess;
};

// Separators are dots; a slash is a dot inside a name.
std::string path_of(const std::string& name) {
    return "/proc/sys/" + exchanged(name, '.', '/');
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

// "net.netfilter." is "net.netfilter"; so is "net..netfilter", but it is a slip.
std::string without_repeated(const std::string& name, bool& repeated) {
    const auto is_separator = [](char c) { return c == '.' || c == '/'; };
    std::string clean;
    repeated = false;
    for (const char c : name) {
        if (is_separator(c) && !clean.empty() && is_separator(clean.back())) {
            repeated = true;
        } else {
            clean += c;
        }
    }
    if (clean.size() > 1 && is_separator(clean.back())) {
        clean.pop_back();
    }
    return clean;
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
    command->add_flag("--dry-run", options->dry_run, "print what would be set, and set nothing");
    command->add_flag("-o,-x,--deprecated", options->nothing, "nothing: nothing is deprecated");
    command->add_flag("-b,--binary", options->binary, "print values without line breaks");
    command->add_option("-r,--pattern", options->pattern, "only names that match this expression")
        ->type_name("REGEX");
    CLI::Option* load = command->add_option("-p,-f,--load", options->files,
                                            "read settings from the files given; "
                                            "/etc/sysctl.conf if none; - is standard input");
    load->expected(0, CLI::detail::expected_max_vector_size)->type_name("FILE");
    command->add_flag("--system", options->system, "read the files of all sysctl.d folders");
    command->add_flag("-V,--version", options->version, "print the version");
    command->add_option("words", options->words, "NAME, NAME=VALUE, or files with -p");
    command->callback([control, options, load, &exit_code] {
        options->load = load->count() != 0;
        std::erase(options->files, "");  // what CLI11 makes of no file
        exit_code = guarded([&] {
            if (options->version) {
                std::puts("sysctl from nsrouter " NSR_VERSION);
                return kSuccess;
            }
            return Sysctl(control.target(), *options).run();
        });
    });
}

namespace {

int Sysctl::run() {
    if (options_.system) {
        load_system();
        return exit_code_;
    }
    if (options_.load) {
        std::vector<std::string> files = options_.files;
        files.insert(files.end(), options_.words.begin(), options_.words.end());
        if (files.empty()) {
            files.emplace_back("/etc/sysctl.conf");
        }
        for (const std::string& path : files) {
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
    for (std::size_t i = 0; i < options_.words.size(); ++i) {
        if (is_torn(i)) {
            i = complain_about_torn(i);
        } else {
            carry_out(options_.words[i]);
        }
    }
    return exit_code_;
}

// "a = b" and "a =b", which come in pieces.
bool Sysctl::is_torn(std::size_t at) const {
    const auto& words = options_.words;
    return words[at].find('=') == std::string::npos && at + 1 < words.size() &&
           words[at + 1].starts_with('=');
}

// -> the last of the pieces
std::size_t Sysctl::complain_about_torn(std::size_t at) {
    const auto& words = options_.words;
    std::size_t last = at + 1;
    std::string value = words[last].substr(1);
    if (value.empty() && last + 1 < words.size()) {
        value = words[++last];
    }
    fail("a setting is one word, without blanks around \"=\": " + words[at] + "=" + value);
    return last;
}

void Sysctl::carry_out(const std::string& word) {
    const auto equals = word.find('=');
    bool repeated = false;
    const std::string name = without_repeated(word.substr(0, equals), repeated);
    if (repeated) {
        complain("separators should not be repeated: " + word.substr(0, equals));
    }
    if (equals == 0) {
        fail("\"" + word + "\" must be of the form name=value: there is no name");
    } else if (equals != std::string::npos) {
        set(dotted_sysctl_name(name), word.substr(equals + 1), false);
    } else if (options_.write) {
        fail("\"" + word + "\" must be of the form name=value");
    } else {
        show(dotted_sysctl_name(name));
    }
}

// As sysctl(8): of files with the same name the first folder's counts, then all in order of name.
void Sysctl::load_system() {
    namespace fs = std::filesystem;
    std::map<std::string, std::string> files;
    for (const char* folder : {"/etc/sysctl.d", "/run/sysctl.d", "/usr/local/lib/sysctl.d",
                               "/usr/lib/sysctl.d", "/lib/sysctl.d"}) {
        std::error_code none;
        for (const auto& entry : fs::directory_iterator(folder, none)) {
            if (entry.path().extension() == ".conf") {
                files.emplace(entry.path().filename().string(), entry.path().string());
            }
        }
    }
    std::vector<std::string> paths;
    paths.reserve(files.size() + 1);
    for (const auto& [name, path] : files) {
        paths.push_back(path);
    }
    if (fs::exists("/etc/sysctl.conf")) {
        paths.emplace_back("/etc/sysctl.conf");
    }
    for (const std::string& path : paths) {
        if (!options_.quiet) {
            std::printf("* Applying %s ...\n", path.c_str());
        }
        load_file(path);
    }
}

void Sysctl::load_file(const std::string& path) {
    constexpr std::size_t kMaxBytes = 16 << 20;
    std::string text;
    if (path == "-") {
        text.assign(std::istreambuf_iterator<char>(std::cin), {});
    } else {
        Result<std::string, FileError> read = read_text_file(path, kMaxBytes);
        if (!read) {
            fail("cannot open \"" + path + "\": " + read.error().text);
            return;
        }
        text = std::move(*read);
    }
    const SysctlFile file = parse_sysctl_file(text, path);
    complain_about_lines(file, text, path);
    for (const SysctlLine& line : file.lines) {
        if (!pattern_.fits(line.name)) {
            continue;
        }
        if (is_pattern(line)) {
            set_all(line, file);
        } else {
            set(line.name, line.value, line.ignore_errors);
        }
    }
}

// They are told before anything is set, and alone do not make it fail. With -r those that do not
// fit are none of its business.
void Sysctl::complain_about_lines(const SysctlFile& file, const std::string& text,
                                  const std::string& path) const {
    const std::vector<std::string_view> lines = split(text, '\n');
    for (const ConfigError& error : file.errors) {
        if (pattern_.fits(std::string(lines[error.where.line - 1]))) {
            complain(path + "(" + std::to_string(error.where.line) +
                     "): invalid syntax, continuing...");
        }
    }
}

void Sysctl::set_all(const SysctlLine& line, const SysctlFile& file) {
    for (const std::string& name : names_meant(line, file, all_names())) {
        set(name, line.value, line.ignore_errors);
    }
}

std::vector<std::string> Sysctl::all_names() const {
    const ControlReply all = ask(target_, {"GET", "/sysctl", {}});
    std::vector<std::string> names;
    for (const std::string_view line : split(all.body, '\n')) {
        names.emplace_back(line.substr(0, line.find(' ')));
    }
    return names;
}

void Sysctl::show(const std::string& name) {
    const ControlReply reply = ask(target_, {"GET", percent_encode(path_of(name)), {}});
    if (reply.status == 404) {
        if (!options_.ignore_unknown) {
            fail_unknown(name, reason_in(reply.body));
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
        if (pattern_.fits(name)) {
            print(name, first_line(reply.body));
        }
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
        if (equals != std::string::npos && pattern_.fits(line.substr(0, equals))) {
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
    const ControlReply reply =
        options_.dry_run ? ask(target_, {"GET", percent_encode(path_of(bare)), {}})
                         : ask(target_, {"PUT", percent_encode(path_of(bare)), trimmed + "\n"});
    if (reply.ok()) {
        if (!options_.quiet) {
            print(bare, trimmed);
        }
    } else if (reply.status == 404) {
        if (!options_.ignore_unknown && !ignore_errors) {
            fail_unknown(bare, reason_in(reply.body));
        }
    } else if (!ignore_errors) {
        fail("setting key \"" + bare + "\": " + reason_in(reply.body));
    }
}

void Sysctl::print(const std::string& name, const std::string& value) const {
    if (options_.binary) {
        std::fputs(value.c_str(), stdout);
    } else if (options_.names_only) {
        std::printf("%s\n", name.c_str());
    } else if (options_.values_only) {
        std::printf("%s\n", value.c_str());
    } else {
        std::printf("%s = %s\n", name.c_str(), value.c_str());
    }
}

// Of a file there may be hundreds, which are another kernel's; of the command line, slips.
void Sysctl::fail_unknown(const std::string& name, const std::string& reason) {
    std::string guess;
    if (!options_.load && !options_.system && reason.ends_with("directory")) {
        const std::vector<std::string> names = all_names();
        guess = did_you_mean(name, {names.begin(), names.end()});
    }
    fail("cannot stat " + path_of(name) + ": " + reason + guess);
}

void Sysctl::fail(const std::string& message) {
    complain(message);
    exit_code_ = kFailure;
}

// Behind the values of the names before it, wherever both are written to.
void Sysctl::complain(const std::string& message) {
    std::fflush(stdout);
    std::fprintf(stderr, "sysctl: %s\n", message.c_str());
}

}  // namespace

}  // namespace nsr::router
