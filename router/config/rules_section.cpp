#include <algorithm>

#include "core/rules/language/chain_name.hpp"
#include "core/rules/language/check.hpp"
#include "core/rules/language/families.hpp"
#include "core/rules/language/native.hpp"
#include "core/rules/language/parse.hpp"
#include "core/rules/language/tolerated.hpp"
#include "router/config/rule_words.hpp"
#include "router/config/sections.hpp"

namespace nsr::router {
namespace {

using rules::TableId;

constexpr std::array kFamilies = {Family::Ipv4, Family::Ipv6};
constexpr std::array kTables = {TableId::Raw, TableId::Mangle, TableId::Nat, TableId::Filter,
                                TableId::Security};

std::vector<std::string> table_names() {
    std::vector<std::string> names;
    names.reserve(kTables.size());
    for (const TableId table : kTables) {
        names.emplace_back(rules::name_of(table));
    }
    return names;
}

// A native rule with where it goes.
struct Placed {
    NativeRule rule;
    TableId table = TableId::Filter;
    std::string chain;
    bool ipv4 = false;
    bool ipv6 = false;
};

class Loader {
  public:
    Loader(Section& section, Config& config)
        : section_(section), config_(config), errors_(section.errors()) {}

    void run();

  private:
    void file(const char* key, Family family, std::vector<std::string>& tables);
    std::optional<TableId> table_named(const TomlMember& member);
    void chains(const TomlValue& table);
    void table(const TomlMember& member);
    void native(const TomlValue& value, TableId table, const std::string& chain);
    void declare_chains();
    void policies(const TomlValue& table);
    void policy(TableId table, const TomlMember& member);
    void place(const Placed& placed);
    [[nodiscard]] ConfigErrors append(const Placed& placed, Family family);
    void check_interfaces(const NativeRule& rule);
    [[nodiscard]] bool is_chain(TableId table, const std::string& chain) const;
    [[nodiscard]] std::vector<std::string> chain_names(TableId table, bool user_chains) const;
    void fail(const SourceLocation& where, std::string message) {
        errors_.push_back({where, std::move(message)});
    }

    Section& section_;
    Config& config_;
    ConfigErrors& errors_;
    std::vector<std::pair<TableId, std::string>> declared_;
    std::vector<Placed> natives_;
    sets::Catalogue sets_;  // that rules may name
    conntrack::TimeoutCatalogue timeouts_;
};

// Points an error about a rule at the key whose word it names.
SourceLocation origin_of(const ConfigError& error, const NativeRule& rule) {
    const Located<std::string>* best = nullptr;
    for (const Located<std::string>& origin : rule.origins) {
        if (error.message.find(origin.value) != std::string::npos &&
            (best == nullptr || origin.value.size() > best->value.size())) {
            best = &origin;
        }
    }
    return best == nullptr ? rule.where : best->where;
}

}  // namespace

void read_rules(Section section, Config& config) {
    Loader(section, config).run();
}

namespace {

// Files first, so that native rules are appended to their chains.
void Loader::run() {
    if (section_.value() == nullptr) {
        return;
    }
    config_.host_names = host_names_of_this_machine();
    read_tolerance(section_, config_);
    file("ipv4", Family::Ipv4, config_.rule_tables4);
    file("ipv6", Family::Ipv6, config_.rule_tables6);
    if (Located<std::string> name; section_.string("ipset", name.value)) {
        name.where = section_.take("ipset")->value.where;
        read_set_file(name, config_, errors_);
    }
    sets_ = created_sets(config_.sets);
    timeouts_ = timeouts_of(config_);
    if (const TomlValue* declared = section_.table("chains")) {
        chains(*declared);
    }
    const TomlValue* policy_table = section_.table("policy");
    for (const TomlMember& member : section_.value()->members) {
        if (member.key != "ipv4" && member.key != "ipv6" && member.key != "ipset" &&
            member.key != "chains" && member.key != "policy" && member.key != "tolerate") {
            table(member);
        }
    }
    declare_chains();
    if (policy_table != nullptr) {
        policies(*policy_table);
    }
    for (const Placed& placed : natives_) {
        check_interfaces(placed.rule);
        place(placed);
    }
    // What could be read is judged whatever was wrong elsewhere.
    for (const Family family : kFamilies) {
        const ConfigErrors wrong = rules::check(config_.ruleset, family);
        errors_.insert(errors_.end(), wrong.begin(), wrong.end());
    }
    const ConfigErrors tolerated = rules::tolerated_rules(config_.ruleset);
    config_.warnings.insert(config_.warnings.end(), tolerated.begin(), tolerated.end());
}

void Loader::file(const char* key, Family family, std::vector<std::string>& tables) {
    Located<std::string> name;
    if (!section_.string(key, name.value)) {
        return;
    }
    name.where = section_.take(key)->value.where;
    const std::optional<RuleFile> read = read_rule_file(name, family, config_, errors_);
    if (!read) {
        return;
    }
    tables = tables_in(read->text);
    const ConfigErrors wrong =
        rules::read_save(read->text, read->path, family, config_.ruleset, config_.host_names);
    errors_.insert(errors_.end(), wrong.begin(), wrong.end());
}

std::optional<TableId> Loader::table_named(const TomlMember& member) {
    const std::optional<TableId> table = rules::parse_table(member.key);
    if (!table) {
        fail(member.where,
             "unknown table \"" + member.key + "\"" + suggestion(member.key, table_names()));
    }
    return table;
}

void Loader::chains(const TomlValue& value) {
    Section section(&value, "chains", errors_);
    for (const TomlMember& member : value.members) {
        const std::optional<TableId> table = table_named(member);
        std::vector<Located<std::string>> names;
        if (!table || !section.strings(member.key, names)) {
            continue;
        }
        for (const Located<std::string>& name : names) {
            const auto entry = std::pair(*table, name.value);
            const std::string problem = rules::chain_name_problem(name.value);
            if (!problem.empty()) {
                fail(name.where, problem);
            } else if (is_chain(*table, name.value)) {
                fail(name.where,
                     "chain \"" + name.value + "\" exists already in table " + member.key);
            }
            // A wrong name is known all the same, so that the rules that use it can be judged.
            if (!name.value.empty() && !is_chain(*table, name.value)) {
                declared_.push_back(entry);
            }
        }
    }
}

void Loader::table(const TomlMember& member) {
    const std::optional<TableId> table = rules::parse_table(member.key);
    if (!table) {
        std::vector<std::string> known = {"ipv4", "ipv6", "ipset", "chains", "policy", "tolerate"};
        const std::vector<std::string> tables = table_names();
        known.insert(known.end(), tables.begin(), tables.end());
        const std::string_view near = nearest(member.key, {known.begin(), known.end()});
        fail(member.where,
             "unknown key \"" + member.key + "\" in [rules]" +
                 (near.empty() ? "; known are ipv4, ipv6, ipset, chains, policy, tolerate and the "
                                 "tables " +
                                     join(tables)
                               : suggestion(member.key, known)));
        return;
    }
    Section section(&member.value, "rules." + member.key, errors_);
    if (member.value.kind != TomlKind::Table) {
        section_.wrong_type(member, "a table of chains: write [[rules." + member.key + ".CHAIN]]");
        return;
    }
    for (const TomlMember& chain : member.value.members) {
        if (!is_chain(*table, chain.key)) {
            fail(chain.where, "unknown chain \"" + chain.key + "\" in table " + member.key +
                                  suggestion(chain.key, chain_names(*table, true)));
            continue;
        }
        for (const TomlValue* rule : section.tables(chain.key)) {
            native(*rule, *table, chain.key);
        }
    }
}

void Loader::native(const TomlValue& value, TableId table, const std::string& chain) {
    std::optional<NativeRule> rule = native_rule(value, errors_);
    if (!rule) {
        return;
    }
    const rules::FamilySupport support = rules::families_of(rule->words, sets_, timeouts_);
    Placed placed{std::move(*rule), table, chain, support.ipv4, support.ipv6};
    if (placed.rule.family) {
        placed.ipv4 = *placed.rule.family == Family::Ipv4;
        placed.ipv6 = !placed.ipv4;
    } else if (!support.ipv4 && !support.ipv6) {
        fail(placed.rule.where, "the rule mixes what only IPv4 has with what only IPv6 has");
        return;
    }
    natives_.push_back(std::move(placed));
}

// A declared chain lives in the families that have its table anyway, else in both: a table that is
// loaded for its chain alone would switch on NAT or tracking in a family that has no rule.
void Loader::declare_chains() {
    for (const auto& [table, name] : declared_) {
        std::array<bool, 2> wanted{};
        for (std::size_t i = 0; i < kFamilies.size(); ++i) {
            wanted[i] = config_.ruleset.table(kFamilies[i], table).loaded;
        }
        for (const Placed& placed : natives_) {
            wanted[0] = wanted[0] || (placed.table == table && placed.ipv4);
            wanted[1] = wanted[1] || (placed.table == table && placed.ipv6);
        }
        const bool both = !wanted[0] && !wanted[1];
        for (std::size_t i = 0; i < kFamilies.size(); ++i) {
            if (both || wanted[i]) {
                config_.ruleset.load(kFamilies[i], table).add(name, rules::Policy::None);
            }
        }
    }
}

void Loader::policies(const TomlValue& value) {
    for (const TomlMember& member : value.members) {
        const std::optional<TableId> table = table_named(member);
        if (!table) {
            continue;
        }
        if (member.value.kind != TomlKind::Table) {
            section_.wrong_type(member, "a table: write policy." + member.key + ".CHAIN = ...");
            continue;
        }
        for (const TomlMember& chain : member.value.members) {
            policy(*table, chain);
        }
    }
}

void Loader::policy(TableId table, const TomlMember& member) {
    const std::vector<std::string> built_in = chain_names(table, false);
    if (std::find(built_in.begin(), built_in.end(), member.key) == built_in.end()) {
        fail(member.where, "only built-in chains have a policy, \"" + member.key +
                               "\" is none of table " + std::string(rules::name_of(table)) +
                               suggestion(member.key, built_in));
        return;
    }
    const std::string& verdict = member.value.text;
    if (verdict != "ACCEPT" && verdict != "DROP") {
        fail(member.value.where, "a policy must be \"ACCEPT\" or \"DROP\"");
        return;
    }
    if (verdict == "DROP" && table == TableId::Nat) {
        fail(member.value.where,
             "the nat table is not for filtering, so the policy DROP is not allowed in it");
        return;
    }
    for (const Family family : kFamilies) {
        config_.ruleset.load(family, table).find(member.key)->policy =
            verdict == "DROP" ? rules::Policy::Drop : rules::Policy::Accept;
    }
}

// What is wrong in both families is told once; what is wrong in one, with a word about the other.
void Loader::place(const Placed& placed) {
    ConfigErrors wrong4 = placed.ipv4 ? append(placed, Family::Ipv4) : ConfigErrors{};
    ConfigErrors wrong6 = placed.ipv6 ? append(placed, Family::Ipv6) : ConfigErrors{};
    const bool only4 = placed.ipv6 && wrong6.empty();
    const bool only6 = placed.ipv4 && wrong4.empty();
    for (ConfigError& error : wrong4.empty() ? wrong6 : wrong4) {
        if (only4 || only6) {
            error.message += only4
                                 ? "; so it is in IPv4 only: for IPv6 alone, add family = \"ipv6\""
                                 : "; so it is in IPv6 only: for IPv4 alone, add family = \"ipv4\"";
        }
        errors_.push_back(std::move(error));
    }
}

ConfigErrors Loader::append(const Placed& placed, Family family) {
    rules::Ruleset& ruleset = config_.ruleset;
    ruleset.load(family, placed.table);
    // A user chain from a file may exist in one family only: the rule goes where its chain is.
    if (ruleset.table(family, placed.table).find(placed.chain) == nullptr) {
        return placed.rule.family
                   ? ConfigErrors{{placed.rule.where,
                                   "chain \"" + placed.chain + "\" does not exist in this family"}}
                   : ConfigErrors{};
    }
    Result<std::vector<rules::Rule>, ConfigErrors> parsed =
        rules::parse_rules(placed.rule.words, family, placed.table, placed.chain, ruleset,
                           placed.rule.where, config_.host_names);
    if (!parsed) {
        for (ConfigError& error : parsed.error()) {
            error.where = origin_of(error, placed.rule);
        }
        return parsed.error();
    }
    rules::Chain& chain = *ruleset.table(family, placed.table).find(placed.chain);
    for (rules::Rule& rule : *parsed) {
        rules::add_rule(ruleset, chain, std::move(rule));
    }
    return {};
}

// iptables takes any name, since a link may come later; here all links are known.
void Loader::check_interfaces(const NativeRule& rule) {
    std::vector<std::string> names = config_.interface_names();
    names.emplace_back("lo");
    for (const Located<std::string>& used : rule.interfaces) {
        const bool prefix = used.value.ends_with('+');
        const std::string stem = prefix ? used.value.substr(0, used.value.size() - 1) : used.value;
        const bool known = std::any_of(names.begin(), names.end(), [&](const std::string& name) {
            return prefix ? name.starts_with(stem) : name == stem;
        });
        if (!known) {
            fail(used.where,
                 "unknown interface \"" + used.value + "\"" + suggestion(used.value, names));
        }
    }
}

bool Loader::is_chain(TableId table, const std::string& chain) const {
    const std::vector<std::string> names = chain_names(table, true);
    return std::find(names.begin(), names.end(), chain) != names.end();
}

std::vector<std::string> Loader::chain_names(TableId table, bool user_chains) const {
    std::vector<std::string> names;
    for (unsigned i = 0; i < kHookCount; ++i) {
        const Hook hook{static_cast<std::uint8_t>(i)};
        if (rules::has_chain(table, hook)) {
            names.emplace_back(name_of(hook));
        }
    }
    if (!user_chains) {
        return names;
    }
    for (const auto& [declared_table, name] : declared_) {
        if (declared_table == table) {
            names.push_back(name);
        }
    }
    for (const Family family : kFamilies) {
        for (const rules::Chain& chain : config_.ruleset.table(family, table).chains) {
            if (std::find(names.begin(), names.end(), chain.name) == names.end()) {
                names.push_back(chain.name);
            }
        }
    }
    return names;
}

}  // namespace
}  // namespace nsr::router
