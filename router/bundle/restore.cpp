// From the files of a bundle to a router that begins as the one that it was made of.
#include <algorithm>
#include <charconv>
#include <optional>
#include <utility>

#include "core/base/words.hpp"
#include "core/procfs/sysctl.hpp"
#include "core/rules/language/parse.hpp"
#include "router/base/listing.hpp"
#include "router/bundle/bundle.hpp"
#include "router/config/build.hpp"
#include "router/config/load.hpp"
#include "router/config/sysctl_file.hpp"
#include "router/tools/conntrack/saved_table.hpp"
#include "router/tools/ip/command.hpp"

namespace nsr::router {
namespace {

std::string_view text_of(const Bundle& bundle, std::string_view name) {
    const std::string* text = bundle.find(name);
    return text == nullptr ? std::string_view() : *text;
}

// "2: wan: <POINTOPOINT,NOARP,UP,LOWER_UP> mtu 1500 state UP", then "    inet 192.0.2.1/24 ..."
struct ListedLink {
    std::string name;
    std::uint32_t mtu = 0;
    bool up = true;
    std::vector<Located<Prefix>> addresses;
};

// 0: it is none that a configuration may have.
std::uint32_t mtu_of(std::string_view text) {
    constexpr std::uint32_t kLeast = 68, kMost = 65535;
    std::uint32_t mtu = 0;
    const auto read = std::from_chars(text.data(), text.data() + text.size(), mtu);
    const bool whole = read.ec == std::errc() && read.ptr == text.data() + text.size();
    return whole && mtu >= kLeast && mtu <= kMost ? mtu : 0;
}

std::vector<ListedLink> links_in(std::string_view text) {
    std::vector<ListedLink> links;
    std::uint32_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        const auto words = words_of(line);
        if (words.size() >= 6 && !line.starts_with(' ')) {
            ListedLink& link = links.emplace_back();
            link.name = words[1].substr(0, words[1].find(':'));
            link.mtu = mtu_of(words[4]);
            link.up = words.back() != "DOWN";
        } else if (words.size() >= 2 && words[0].starts_with("inet") && !links.empty()) {
            if (const auto prefix = parse_prefix(words[1])) {
                links.back().addresses.push_back(
                    {*prefix, {std::string(bundled::kInterfaces), number, 0}});
            }
        }
    }
    return links;
}

void take_links(const Bundle& bundle, Config& config) {
    for (ListedLink& link : links_in(text_of(bundle, bundled::kInterfaces))) {
        for (InterfaceConfig& interface : config.interfaces) {
            if (interface.name == link.name) {
                interface.addresses = std::move(link.addresses);
                interface.mtu = link.mtu != 0 ? link.mtu : interface.mtu;
                interface.up = true;  // begin_network() takes down what was
            }
        }
    }
}

void take_rules(const Bundle& bundle, Config& config, ConfigErrors& errors) {
    for (const auto& [name, family] :
         {std::pair{bundled::kRules4, Family::Ipv4}, std::pair{bundled::kRules6, Family::Ipv6}}) {
        const ConfigErrors wrong =
            rules::parse_save(text_of(bundle, name), name, family, config.ruleset);
        errors.insert(errors.end(), wrong.begin(), wrong.end());
    }
}

// What only shows something, or is of an interface that is not there, is passed over.
void take_sysctls(const Bundle& bundle, Config& config, ConfigErrors& errors) {
    const SysctlFile file =
        parse_sysctl_file(text_of(bundle, bundled::kSysctls), std::string(bundled::kSysctls));
    errors.insert(errors.end(), file.errors.begin(), file.errors.end());
    for (const SysctlLine& line : file.lines) {
        const auto sysctl = procfs::find_sysctl(line.name, config.interface_names());
        if (sysctl && procfs::check_sysctl(*sysctl, line.value)) {
            config.sysctls.push_back({line.name, line.value, line.where});
        }
    }
    // What is said of all interfaces must not undo what is said of one.
    std::stable_partition(config.sysctls.begin(), config.sysctls.end(), [](const auto& sysctl) {
        return sysctl.name.find(".conf.all.") != std::string::npos ||
               sysctl.name == "net.ipv4.ip_forward";
    });
}

void take_mode(const Bundle& bundle, Config& config, ConfigErrors& errors) {
    if (bundle.find(bundled::kMode) == nullptr) {
        return;
    }
    std::string_view mode = text_of(bundle, bundled::kMode);
    mode = mode.substr(0, mode.find_first_of(" \n"));
    const auto known = std::find(kTrackingModeNames.begin(), kTrackingModeNames.end(), mode);
    if (known != kTrackingModeNames.end()) {
        config.conntrack.mode = static_cast<TrackingMode>(known - kTrackingModeNames.begin());
    } else {
        errors.push_back({{std::string(bundled::kMode), 1, 0},
                          "\"" + std::string(mode.substr(0, 40)) + "\" is no mode of tracking"});
    }
}

// Lines that belong together: what is indented goes on with the one before.
std::vector<std::string> listed(std::string_view text) {
    std::vector<std::string> lines;
    for (const std::string_view line : split(text, '\n')) {
        if (line.starts_with('\t') && !lines.empty()) {
            lines.back() += " " + std::string(line.substr(1));
        } else if (!line.empty()) {
            lines.emplace_back(line);
        }
    }
    return lines;
}

// The words of a listing that no command takes: they say what follows from the rest.
std::string without_shown(const std::string& line) {
    std::string words;
    const auto given = words_of(line);
    for (std::size_t i = 0; i < given.size(); ++i) {
        if (given[i] == "scope") {
            ++i;
        } else if (given[i] != "dead" && given[i] != "linkdown") {
            words += " " + std::string(given[i]);
        }
    }
    return words;
}

void run(const std::string& line, std::string_view file, Router& router, Instant now,
         ConfigErrors& errors) {
    const auto args = parse_ip_args(line);
    const std::string wrong = args ? run_ip(*args, router, now, {}).error : args.error();
    if (!wrong.empty()) {
        errors.push_back({{std::string(file), 0, 0}, "ip " + line + ": " + wrong});
    }
}

// A gateway is reached by a route that has none: those come first.
void add_routes(std::string_view text, std::string_view file, const std::string& family,
                Router& router, Instant now, ConfigErrors& errors) {
    std::vector<std::string> lines = listed(text);
    std::stable_partition(lines.begin(), lines.end(), [](const std::string& line) {
        return line.find(" via ") == std::string::npos;
    });
    for (const std::string& line : lines) {
        if (line.find(" proto kernel") == std::string::npos) {
            run(family + " route append" + without_shown(line), file, router, now, errors);
        }
    }
}

// "100:\tfrom 10.0.0.0/8 lookup 5"; those that every router has are there already.
void add_policy(std::string_view text, std::string_view file, const std::string& family,
                Router& router, Instant now, ConfigErrors& errors) {
    std::uint32_t number = 0;
    for (const std::string_view line : split(text, '\n')) {
        ++number;
        const std::size_t colon = line.find(":\t");
        const std::string_view priority = line.substr(0, colon);
        if (line.empty() || priority == "0" || priority == "32766" || priority == "32767") {
            continue;
        }
        if (colon == std::string_view::npos) {
            errors.push_back({{std::string(file), number, 0}, "is no routing rule: left out"});
            continue;
        }
        run(family + " rule add priority " + std::string(priority) + " " +
                std::string(line.substr(colon + 2)),
            file, router, now, errors);
    }
}

}  // namespace

Result<Config, ConfigErrors> config_of(const Bundle& bundle, std::uint64_t memory_bytes) {
    const std::string* text = bundle.find(bundle.config);
    if (text == nullptr) {
        return ConfigErrors{{{std::string(bundled::kManifest), 0, 0},
                             "the bundle has no configuration: without it there is no router"}};
    }
    auto config = parse_config_without_files(*text, bundle.config, memory_bytes);
    if (!config) {
        return config.error();
    }
    const bool has_no_sets = config->shards > 1;
    ConfigErrors errors;
    for (const std::string_view needed :
         {bundled::kInterfaces, bundled::kSysctls, bundled::kRules4, bundled::kRules6,
          bundled::kSets, bundled::kRoutes4, bundled::kRoutes6}) {
        const bool may_lack = needed == bundled::kSets && has_no_sets;
        if (bundle.find(needed) == nullptr && !may_lack) {
            errors.push_back({{std::string(needed), 0, 0},
                              "is not in the bundle: what a router without it does says nothing"});
        }
    }
    take_links(bundle, *config);
    take_sysctls(bundle, *config, errors);
    take_mode(bundle, *config, errors);
    take_rules(bundle, *config, errors);
    config->sets.file =
        SetFile{std::string(bundled::kSets), std::string(text_of(bundle, bundled::kSets))};
    config->routes.clear();
    config->policy_rules.clear();
    return errors.empty() ? std::move(config) : Result<Config, ConfigErrors>(std::move(errors));
}

ConfigErrors begin_network(const Bundle& bundle, const Config& config, Router& router,
                           Instant now) {
    if (!config.host_netns.empty()) {
        router.add_interface(host_interface());
    }
    ConfigErrors errors;
    using namespace bundled;
    add_policy(text_of(bundle, kPolicy4), kPolicy4, "-4", router, now, errors);
    add_policy(text_of(bundle, kPolicy6), kPolicy6, "-6", router, now, errors);
    add_routes(text_of(bundle, kRoutes4), kRoutes4, "-4", router, now, errors);
    add_routes(text_of(bundle, kRoutes6), kRoutes6, "-6", router, now, errors);
    for (const ListedLink& link : links_in(text_of(bundle, kInterfaces))) {
        const routing::Interface* interface = router.interfaces().find(link.name);
        if (interface != nullptr && !link.up) {
            router.set_up(interface->index, false, now);
        }
    }
    return errors;
}

ConfigErrors begin_connections(const Bundle& bundle, Router& router, Instant now) {
    const std::string name(bundled::kConnections);
    const auto table = parse_saved_table(text_of(bundle, name), name);
    if (!table) {
        return table.error();
    }
    ConfigErrors told = left_out_of(*table);
    if (const auto added = add_connections(router, *table, now); !added) {
        told.insert(told.end(), added.error().begin(), added.error().end());
    }
    return told;
}

}  // namespace nsr::router
