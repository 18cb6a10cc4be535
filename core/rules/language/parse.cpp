#include "core/rules/language/parse.hpp"

#include <algorithm>

#include "core/rules/language/check.hpp"
#include "core/rules/language/restore.hpp"

namespace nsr::rules {

ConfigErrors parse_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                        const HostNames& names) {
    Ruleset draft = into;
    ConfigErrors errors = read_save(text, file, family, draft, names);
    // The rules that could be read are judged whatever was wrong with others.
    const ConfigErrors illegal = check(draft, family);
    errors.insert(errors.end(), illegal.begin(), illegal.end());
    std::stable_sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
        return a.where.line < b.where.line;
    });
    if (errors.empty()) {
        into = std::move(draft);
    }
    return errors;
}

ConfigErrors read_save(std::string_view text, std::string_view file, Family family, Ruleset& into,
                       const HostNames& names) {
    return read_restore(text, file, family, {.flush = true, .counters = true}, into, names);
}

}  // namespace nsr::rules
