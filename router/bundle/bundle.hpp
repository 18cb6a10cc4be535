// A bundle: what a running router was at one moment, in one file, for another machine.
//
// Theory of operation
//   A tar archive with a folder of files, all of them text but the capture; what a person looks at
//   first is bundle.json: the program, the instance, when it was made, which file comes from where,
//   and what is missing and why. `nsrouter bundle` collects it from the endpoints of a router,
//   piece by piece, so packets go on meanwhile, and the pieces are of moments that follow each
//   other. Whoever opens it gets a router that begins as that one was: interfaces, addresses and
//   tracking of the configuration, and in the place of the files that it names what was at work
//   (rules, sets, sysctls, routes, connections). No token is in it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/pipeline/router.hpp"
#include "router/bundle/tar.hpp"
#include "router/config/config.hpp"

namespace nsr::router {

// Names of files in it.
namespace bundled {
inline constexpr std::string_view kManifest = "bundle.json";
inline constexpr std::string_view kRules4 = "rules.v4";
inline constexpr std::string_view kRules6 = "rules.v6";
inline constexpr std::string_view kSets = "sets.ipset";
inline constexpr std::string_view kConnections = "conntrack.txt";
inline constexpr std::string_view kSysctls = "sysctl.conf";
inline constexpr std::string_view kWhyText = "why.txt";
inline constexpr std::string_view kWhyJson = "why.json";
inline constexpr std::string_view kCapture = "capture.pcapng";
inline constexpr std::string_view kInterfaces = "interfaces.txt";
inline constexpr std::string_view kRoutes4 = "routes.txt";
inline constexpr std::string_view kRoutes6 = "routes6.txt";
inline constexpr std::string_view kPolicy4 = "routing-rules.txt";
inline constexpr std::string_view kPolicy6 = "routing-rules6.txt";
inline constexpr std::string_view kMode = "conntrack_mode.txt";
}  // namespace bundled

struct BundleMissing {
    std::string name;
    std::string why;
};

struct Bundle {
    std::string program;  // "nsrouter 0.1.0"
    std::string instance;
    std::int64_t made_ns = 0;  // since 1970
    bool anonymous = false;
    std::string config;  // the name of the configuration among the files
    std::vector<ArchivedFile> files;
    std::vector<BundleMissing> missing;

    // Null: it is not in it.
    [[nodiscard]] const std::string* find(std::string_view name) const;
    [[nodiscard]] Instant made() const { return Instant(Duration(made_ns)); }
};

std::string tar_of(const Bundle& bundle);
// The error says what is wrong with `path`.
Result<Bundle, std::string> open_bundle(const std::string& path);

// The configuration, with rules, sets, sysctls and addresses as they were. The error says what of
// them is missing or wrong.
Result<Config, ConfigErrors> config_of(const Bundle& bundle, std::uint64_t memory_bytes);
// The host, routes and links as they were; then the connections. Precondition: `router` was filled
// with that configuration. What cannot be done is told, and left out.
ConfigErrors begin_network(const Bundle& bundle, const Config& config, Router& router, Instant now);
ConfigErrors begin_connections(const Bundle& bundle, Router& router, Instant now);

}  // namespace nsr::router
