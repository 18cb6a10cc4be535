#include "router/base/text_file.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {

namespace {

constexpr std::size_t kMaxRuleFileBytes = std::size_t{64} << 20;

}  // namespace

std::optional<RuleFile> read_rule_file(const Located<std::string>& name, Family family,
                                       Config& config, ConfigErrors& errors) {
    const std::string path = resolve_path(config.path, name.value);
    Result<std::string, FileError> text = read_text_file(path, kMaxRuleFileBytes);
    if (!text) {
        errors.push_back({name.where, "rules file \"" + name.value + "\": " + text.error().text});
        return std::nullopt;
    }
    config.files.push_back(path);
    return RuleFile{family, path, std::move(*text)};
}

std::vector<std::string> tables_in(std::string_view text) {
    std::vector<std::string> tables;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        const std::string_view line = text.substr(0, end);
        if (line.starts_with('*')) {
            tables.emplace_back(line.substr(1, line.find_last_not_of(" \t\r")));
        }
        text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
    }
    return tables;
}

rules::HostNames host_names_of_this_machine() {
    rules::HostNames names;
    if (const auto hosts = read_text_file("/etc/hosts", kMaxRuleFileBytes)) {
        names.add_hosts(*hosts);
    }
    if (const auto networks = read_text_file("/etc/networks", kMaxRuleFileBytes)) {
        names.add_networks(*networks);
    }
    return names;
}

}  // namespace nsr::router
