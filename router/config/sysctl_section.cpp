#include <algorithm>

#include "core/procfs/sysctl.hpp"
#include "router/base/text_file.hpp"
#include "router/config/sections.hpp"
#include "router/config/sysctl_file.hpp"

namespace nsr::router {
namespace {

constexpr std::size_t kMaxSysctlFileBytes = 1 << 20;

void flatten(const TomlValue& table, const std::string& prefix, std::vector<SysctlConfig>& into,
             ConfigErrors& errors);
void read_file(const Located<std::string>& name, Config& config, ConfigErrors& errors);
void override_with(std::vector<SysctlConfig> later, std::vector<SysctlConfig>& settings);

}  // namespace

void read_sysctls(Section section, Config& config) {
    if (section.value() == nullptr) {
        return;
    }
    Located<std::string> file;
    if (section.string("file", file.value)) {
        file.where = section.take("file")->value.where;
        read_file(file, config, section.errors());
    }
    TomlValue settings = *section.value();
    std::erase_if(settings.members, [](const TomlMember& m) { return m.key == "file"; });
    std::vector<SysctlConfig> named = sysctl_settings(settings, section.errors());
    for (const SysctlConfig& setting : named) {
        check_sysctl_setting(setting, config, section.errors());
    }
    override_with(std::move(named), config.sysctls);
}

std::vector<SysctlConfig> sysctl_settings(const TomlValue& table, ConfigErrors& errors) {
    std::vector<SysctlConfig> settings;
    flatten(table, "", settings, errors);
    return settings;
}

void check_sysctl_setting(const SysctlConfig& setting, const Config& config, ConfigErrors& errors) {
    const auto sysctl = procfs::find_sysctl(setting.name, config.interface_names());
    if (!sysctl) {
        const std::string why(procfs::why_no_sysctl(setting.name));
        errors.push_back({setting.where, "unknown sysctl \"" + setting.name + "\"" +
                                             (why.empty() ? "" : ": ") + why});
        return;
    }
    const auto checked = procfs::check_sysctl(*sysctl, setting.value);
    if (checked) {
        return;
    }
    if (checked.error().code == procfs::Errno::Access) {
        errors.push_back({setting.where, "sysctl \"" + setting.name + "\" is read-only"});
    } else {
        errors.push_back({setting.where, setting.name + " must be " + checked.error().detail +
                                             ", not \"" + setting.value + "\""});
    }
}

namespace {

void flatten(const TomlValue& table, const std::string& prefix, std::vector<SysctlConfig>& into,
             ConfigErrors& errors) {
    for (const TomlMember& member : table.members) {
        const std::string name =
            prefix.empty() ? dotted_sysctl_name(member.key) : prefix + "." + member.key;
        switch (member.value.kind) {
            case TomlKind::Table:
                flatten(member.value, name, into, errors);
                break;
            case TomlKind::Integer:
                into.push_back({name, std::to_string(member.value.integer), member.where});
                break;
            case TomlKind::String:
                into.push_back({name, member.value.text, member.where});
                break;
            default:
                errors.push_back(
                    {member.value.where, name + " must be an integer or a string, not " +
                                             std::string(describe(member.value.kind))});
        }
    }
}

// The file may hold the keys of a whole host: those that are unknown here, or cannot be so, are
// worth a warning only.
void read_file(const Located<std::string>& name, Config& config, ConfigErrors& errors) {
    const std::string path = resolve_path(config.path, name.value);
    const Result<std::string, FileError> text = read_text_file(path, kMaxSysctlFileBytes);
    if (!text) {
        errors.push_back({name.where, "file \"" + name.value + "\": " + text.error().text});
        return;
    }
    config.files.push_back(path);
    const SysctlFile file = parse_sysctl_file(*text, path);
    errors.insert(errors.end(), file.errors.begin(), file.errors.end());
    std::vector<SysctlConfig> settings;
    for (const SysctlLine& line : file.lines) {
        const SysctlConfig setting{line.name, line.value, line.where};
        const auto sysctl = procfs::find_sysctl(setting.name, config.interface_names());
        if (sysctl && procfs::check_sysctl(*sysctl, setting.value)) {
            settings.push_back(setting);
        } else {
            const bool fixed = sysctl && sysctl->row->kind == procfs::SysctlKind::Fixed;
            const bool only_warn = line.ignore_errors || !sysctl || fixed;
            check_sysctl_setting(setting, config, only_warn ? config.warnings : errors);
        }
    }
    override_with(std::move(settings), config.sysctls);
}

void override_with(std::vector<SysctlConfig> later, std::vector<SysctlConfig>& settings) {
    for (SysctlConfig& setting : later) {
        std::erase_if(settings, [&](const SysctlConfig& old) { return old.name == setting.name; });
        settings.push_back(std::move(setting));
    }
}

}  // namespace
}  // namespace nsr::router
