// `nsrouter bundle`: all that helps to understand a router elsewhere, collected from its endpoints.
#include <sys/random.h>
#include <unistd.h>

#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#include <CLI/Option.hpp>
#include <boost/json.hpp>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "router/base/json_text.hpp"
#include "router/bundle/anonymous_bundle.hpp"
#include "router/bundle/bundle.hpp"
#include "router/commands/cli.hpp"
#include "router/commands/commands.hpp"
#include "router/commands/sink.hpp"
#include "router/config/hidden.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

struct Piece {
    std::string_view name;
    const char* method;
    const char* target;
    const char* body;  // a word a line
};

constexpr Piece kPieces[] = {
    {"status.json", "GET", "/status", ""},
    {"metrics.txt", "GET", "/metrics", ""},
    {bundled::kRules4, "GET", "/rules?family=ipv4", ""},
    {bundled::kRules6, "GET", "/rules?family=ipv6", ""},
    {bundled::kSets, "GET", "/sets", ""},
    {bundled::kConnections, "POST", "/conntrack", "-L\n-o\nsave"},
    {"expectations.json", "GET", "/expectations", ""},
    {bundled::kSysctls, "GET", "/sysctl", ""},
    {bundled::kWhyText, "GET", "/why?last=0", ""},
    {bundled::kWhyJson, "GET", "/why.json?last=0", ""},
    {bundled::kCapture, "GET", "/capture?since=24h", ""},
    {"dmesg.txt", "GET", "/log", ""},
    {bundled::kInterfaces, "POST", "/ip", "address\nshow"},
    {bundled::kRoutes4, "POST", "/ip", "-4\nroute\nshow\ntable\nall"},
    {bundled::kRoutes6, "POST", "/ip", "-6\nroute\nshow\ntable\nall"},
    {bundled::kPolicy4, "POST", "/ip", "-4\nrule\nshow"},
    {bundled::kPolicy6, "POST", "/ip", "-6\nrule\nshow"},
    {bundled::kMode, "GET", "/proc/nsrouter/conntrack_mode", ""},
    {"drops.txt", "GET", "/proc/nsrouter/drops", ""},
    {"nat_mappings.txt", "GET", "/proc/nsrouter/nat_mappings", ""},
};

std::string without_end(std::string text) {
    text.erase(text.find_last_not_of('\n') + 1);
    return text;
}

// A name in the folder of the configuration that no other file has.
std::string name_for(const std::string& path, const Bundle& bundle) {
    const std::string name = "config/" + std::filesystem::path(path).filename().string();
    std::string free = name;
    for (int i = 2; bundle.find(free) != nullptr; ++i) {
        free = name + "-" + std::to_string(i);
    }
    return free;
}

// The configuration first, then the files that it names.
void add_config(const std::string& answer, Bundle& bundle) {
    const json::value files = json::parse(answer);
    bool first = true;
    for (const json::value& file : files.as_array()) {
        const bool is_config = std::exchange(first, false);
        const json::object& object = file.as_object();
        const std::string name = name_for(text_in(object, "path"), bundle);
        if (object.contains("error")) {
            bundle.missing.push_back({name, without_end(text_in(object, "error"))});
            continue;
        }
        bundle.config = is_config ? name : bundle.config;
        bundle.files.push_back({name, text_in(object, "text")});
    }
}

void add_identity(Bundle& bundle) {
    if (const std::string* status = bundle.find("status.json")) {
        const json::object object = json::parse(*status).as_object();
        bundle.instance = text_in(object, "name");
        bundle.program = "nsrouter " + text_in(object, "version");
    }
}

Bundle collect(const ControlTarget& target) {
    Bundle bundle;
    bundle.made_ns = std::chrono::duration_cast<std::chrono::nanoseconds>(
                         std::chrono::system_clock::now().time_since_epoch())
                         .count();
    const ControlReply config = ask(target, {"GET", "/config", {}});
    if (!config.ok()) {
        throw std::runtime_error(without_end(config.body));
    }
    add_config(config.body, bundle);
    for (const Piece& piece : kPieces) {
        ControlReply reply = ask(target, {piece.method, piece.target, piece.body});
        if (reply.ok()) {
            bundle.files.push_back({std::string(piece.name), std::move(reply.body)});
        } else {
            bundle.missing.push_back({std::string(piece.name), without_end(reply.body)});
        }
    }
    for (ArchivedFile& file : bundle.files) {
        if (file.name != bundled::kCapture) {  // blocks have lengths
            file.bytes = without_bytes(std::move(file.bytes), target.token);
        }
    }
    add_identity(bundle);
    return bundle;
}

SipKey random_key() {
    SipKey key;
    if (::getrandom(&key, sizeof key, 0) != static_cast<ssize_t>(sizeof key)) {
        throw std::runtime_error(std::string("no randomness: ") + std::strerror(errno));
    }
    return key;
}

// For the owner's eyes alone.
void write_file(const std::string& path, const std::string& bytes) {
    Sink file(path, Readers::Owner);
    std::string bad = begin_all({&file});
    if (bad.empty()) {
        *file.stream() << bytes;
        bad = keep_all({&file});
    }
    if (!bad.empty()) {
        throw std::runtime_error(bad);
    }
}

int bundle(const ControlOptions& options, const std::string& path, bool anonymize) {
    if (path == "-" && ::isatty(STDOUT_FILENO) == 1) {
        std::fputs("nsrouter: a bundle does not go to a terminal: -o FILE\n", stderr);
        return kUsage;
    }
    Bundle collected = collect(options.target());
    if (anonymize) {
        if (const std::string wrong = make_anonymous(collected, random_key()); !wrong.empty()) {
            throw std::runtime_error("--anonymize: " + wrong +
                                     "; without --anonymize the bundle has it as it is");
        }
    }
    for (const BundleMissing& each : collected.missing) {
        std::fprintf(stderr, "nsrouter: not in the bundle: %s: %s\n", each.name.c_str(),
                     each.why.c_str());
    }
    write_file(path, tar_of(collected));
    return kSuccess;
}

}  // namespace

void add_bundle_command(CLI::App& app, int& exit_code) {
    CLI::App* command = app.add_subcommand(
        "bundle", "Write what a running router is and has into one file, for another machine");
    command->footer(
        "A tar archive: configuration, rules, sets, connections, sysctls, routes, what `why` "
        "knows,\n"
        "the packets of [router] capture_ring, log, status. No token is in it. `explain`, `why` "
        "and\n"
        "`replay` take it with --bundle FILE, without a router and without root.\n\n"
        "Examples:\n"
        "  nsrouter bundle -o bug.tar\n"
        "  nsrouter bundle -o bug.tar --anonymize\n");
    const ControlOptions options(*command);
    const auto path = std::make_shared<std::string>();
    const auto anonymize = std::make_shared<bool>(false);
    command->add_option("-o,--output", *path, "the file; -: standard output")
        ->required()
        ->check(file_name_problem)
        ->type_name("FILE");
    command->add_flag(
        "--anonymize", *anonymize,
        "other addresses, the same ones everywhere, and neither payload nor comments");
    command->callback([options, path, anonymize, &exit_code] {
        exit_code = guarded([&] { return bundle(options, *path, *anonymize); });
    });
}

}  // namespace nsr::router
