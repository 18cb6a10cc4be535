#include "router/config/load.hpp"

#include <algorithm>
#include <cstdint>
#include <set>
#include <sstream>
#include <tuple>

#include "core/rules/lint/lint.hpp"
#include "router/base/text_file.hpp"
#include "router/config/build.hpp"
#include "router/config/section.hpp"
#include "router/config/sections.hpp"
#include "router/config/toml.hpp"

namespace nsr::router {
namespace {

std::string in_lines(const ConfigErrors& errors, std::string (*text_of)(const ConfigError&));
enum class Files : std::uint8_t { Read, Leave };
Result<Config, ConfigErrors> parse(std::string_view text, const std::string& path,
                                   std::uint64_t memory_bytes, Files files);
void read_sections(const TomlValue& tree, Files files, Config& config, ConfigErrors& errors);
void add_new(const ConfigErrors& found, ConfigErrors& errors);
void add_lint(Config& config);
void put_in_order(ConfigErrors& errors, const std::string& main_file);

}  // namespace

Result<Config, ConfigErrors> load_config(const std::string& path, std::uint64_t memory_bytes) {
    const Result<std::string, FileError> text = read_text_file(path, kMaxConfigBytes);
    if (!text) {
        return ConfigErrors{{{path, 0, 0}, text.error().text}};
    }
    return parse_config(*text, path, memory_bytes);
}

Result<Config, ConfigErrors> parse_config(std::string_view text, const std::string& path,
                                          std::uint64_t memory_bytes) {
    return parse(text, path, memory_bytes, Files::Read);
}

Result<Config, ConfigErrors> parse_config_without_files(std::string_view text,
                                                        const std::string& path,
                                                        std::uint64_t memory_bytes) {
    return parse(text, path, memory_bytes, Files::Leave);
}

std::string in_lines(const ConfigErrors& errors) {
    return in_lines(errors, to_string);
}

std::string warnings_in_lines(const ConfigErrors& warnings) {
    return in_lines(warnings, warning_text);
}

void log_warnings(const ConfigErrors& warnings, Instant now, LogSink& log) {
    std::istringstream lines(warnings_in_lines(warnings));
    for (std::string line; std::getline(lines, line);) {
        log.log(now, LogLevel::Warning, "nsrouter: " + line);
    }
}

namespace {

Result<Config, ConfigErrors> parse(std::string_view text, const std::string& path,
                                   std::uint64_t memory_bytes, Files files) {
    const Result<TomlValue, ConfigErrors> tree = parse_toml(text, path);
    if (!tree) {
        return tree.error();
    }
    Config config;
    config.path = path;
    ConfigErrors errors;
    read_sections(*tree, files, config, errors);
    check_config(config, errors);
    const auto settings = with_sysctls(initial_settings(memory_bytes), config, memory_bytes);
    add_new(settings ? ConfigErrors{} : settings.error(), errors);
    if (!errors.empty()) {
        put_in_order(errors, path);
        return errors;
    }
    add_lint(config);
    return config;
}

std::string in_lines(const ConfigErrors& errors, std::string (*text_of)(const ConfigError&)) {
    std::string text;
    for (std::size_t i = 0; i < std::min(errors.size(), kMostShown); ++i) {
        text += text_of(errors[i]) + "\n";
    }
    if (errors.size() > kMostShown) {
        text += "... and " + std::to_string(errors.size() - kMostShown) + " more\n";
    }
    return text;
}

// Interfaces come first, whatever the file's order: sysctls and rules name them.
void read_sections(const TomlValue& tree, Files files, Config& config, ConfigErrors& errors) {
    Section root(&tree, "the file", errors);
    const auto section = [&](const char* name) {
        return Section(root.table(name), "[" + std::string(name) + "]", errors);
    };
    read_router(section("router"), config);
    read_control(section("control"), config);
    read_conntrack(section("conntrack"), config);
    read_proc(section("proc"), config);
    read_interfaces(root, config);
    read_host(section("host"), config);
    read_routes(root, config);
    read_policy_rules(root, config);
    read_timeouts(section("timeout"), config);
    if (files == Files::Leave) {
        for (const char* name : {"sysctl", "sets", "rules", "replay"}) {
            root.table(name);
        }
        return root.finish();
    }
    read_sysctls(section("sysctl"), config);
    read_sets(section("sets"), config);
    read_rules(section("rules"), config);
    check_sets(config, errors);
    check_timeouts(config, errors);
    read_replay(section("replay"), config);
    root.finish();
}

// But for places where something is wrong already.
void add_new(const ConfigErrors& found, ConfigErrors& errors) {
    const auto place = [](const ConfigError& error) {
        return std::tuple(error.where.file, error.where.line, error.where.column);
    };
    std::set<std::tuple<std::string, std::uint32_t, std::uint32_t>> known;
    for (const ConfigError& error : errors) {
        known.insert(place(error));
    }
    for (const ConfigError& error : found) {
        if (known.insert(place(error)).second) {
            errors.push_back(error);
        }
    }
}

// What is legal, and surely not meant.
void add_lint(Config& config) {
    rules::lint::Surroundings surroundings{.interfaces = config.interface_names(),
                                           .host = !config.host_netns.empty()};
    surroundings.interfaces.emplace_back("lo");
    if (surroundings.host) {
        surroundings.interfaces.emplace_back(kHostInterface);
    }
    const ConfigErrors found = rules::lint::lint(config.ruleset, surroundings);
    config.warnings.insert(config.warnings.end(), found.begin(), found.end());
}

// By file and place; the same message twice (a rule that is wrong in both families) is one.
void put_in_order(ConfigErrors& errors, const std::string& main_file) {
    const auto key = [&](const ConfigError& error) {
        return std::tuple(error.where.file != main_file, std::string_view(error.where.file),
                          error.where.line, error.where.column);
    };
    std::stable_sort(errors.begin(), errors.end(),
                     [&](const ConfigError& a, const ConfigError& b) { return key(a) < key(b); });
    ConfigErrors once;
    std::set<std::string> messages;  // at the place at hand
    for (ConfigError& error : errors) {
        if (once.empty() || key(once.back()) != key(error)) {
            messages.clear();
        }
        if (messages.insert(error.message).second) {
            once.push_back(std::move(error));
        }
    }
    errors = std::move(once);
}

}  // namespace
}  // namespace nsr::router
