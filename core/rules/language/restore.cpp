#include "core/rules/language/restore.hpp"

#include <algorithm>
#include <utility>

#include "core/rules/edit.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/restore_parser.hpp"

namespace nsr::rules {

ConfigErrors read_restore(std::string_view text, std::string_view file, Family family,
                          const RestoreOptions& options, Ruleset& into, const HostNames& names) {
    return RestoreParser(file, family, options, into, names).parse(text);
}

ConfigErrors restore(std::string_view text, std::string_view file, Family family,
                     const RestoreOptions& options, Ruleset& into, const HostNames& names) {
    Ruleset draft = into;
    ConfigErrors errors = read_restore(text, file, family, options, draft, names);
    // The rules that could be read are judged whatever was wrong with others.
    const ConfigErrors illegal = check(draft, family);
    errors.insert(errors.end(), illegal.begin(), illegal.end());
    std::stable_sort(errors.begin(), errors.end(), [](const ConfigError& a, const ConfigError& b) {
        return a.where.line < b.where.line;
    });
    if (errors.empty()) {
        keep_identity(into, draft, CountersOf::Given);
        into = std::move(draft);
    }
    return errors;
}

}  // namespace nsr::rules
