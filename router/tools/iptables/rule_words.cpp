#include "router/tools/iptables/rule_words.hpp"

#include <algorithm>

#include "core/rules/language/option_lookup.hpp"
#include "core/rules/matches/matches.hpp"
#include "core/rules/targets/targets.hpp"

namespace nsr::router {

bool fit_for_name(std::string_view name) {
    return std::none_of(name.begin(), name.end(), [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return byte <= ' ' || byte == 0x7f || c == '"' || c == '\'' || c == '\\';
    });
}

bool RuleModules::load_match(std::string_view name) {
    const rules::MatchModule* module = rules::find_match(name);
    if (module == nullptr || !module->families.has(family_)) {
        return false;
    }
    loaded_.push_back(module->options);
    return true;
}

void RuleModules::load_target(std::string_view name) {
    const rules::TargetModule* module = rules::find_target(name);
    if (module != nullptr && module->families.has(family_)) {
        loaded_.push_back(module->options);
    }
}

void RuleModules::set_protocol(const std::string& word, bool inverted) {
    protocol_ = inverted ? "" : word;
}

const rules::OptionSpec* RuleModules::find(std::string_view name, bool exact) {
    const auto look = [&](std::span<const rules::OptionSpec> specs) {
        return exact ? rules::find_exact(specs, name) : rules::find_option(specs, name);
    };
    for (std::size_t i = loaded_.size(); i-- > 0;) {
        if (const rules::OptionSpec* spec = look(loaded_[i])) {
            return spec;
        }
    }
    const rules::MatchModule* module = rules::find_protocol_match(protocol_, family_);
    if (exact || protocol_loaded_ || module == nullptr) {
        return nullptr;
    }
    if (const rules::OptionSpec* spec = look(module->options)) {
        loaded_.push_back(module->options);
        protocol_loaded_ = true;
        return spec;
    }
    return nullptr;
}

bool RuleModules::is_target(std::string_view name) {
    return name.empty() || name == "ACCEPT" || name == "DROP" || name == "QUEUE" ||
           name == "RETURN" || rules::find_target(name) != nullptr;
}

}  // namespace nsr::router
