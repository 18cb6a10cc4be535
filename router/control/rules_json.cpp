#include "router/control/rules_json.hpp"

#include <boost/json.hpp>

#include "core/base/utf8.hpp"
#include "core/rules/save.hpp"

namespace nsr::router {
namespace {

namespace json = boost::json;

// "rules.v4:12", or "by command"
std::string origin(const SourceLocation& where) {
    return where.line == 0 ? where.file : where.file + ":" + std::to_string(where.line);
}

json::object counters_of(const rules::RuleCounters& counters) {
    return {{"packets", counters.packets}, {"bytes", counters.bytes}};
}

}  // namespace

RulesJson::RulesJson(rules::Counted counted, std::vector<Family> families)
    : counted_(std::move(counted)), families_(std::move(families)) {
}

// To the chain at which we are, or the next one there is.
bool RulesJson::next_chain() {
    for (; family_ < families_.size(); ++family_, table_ = 0) {
        for (; table_ < rules::kTableCount; ++table_, chain_ = 0) {
            const auto& table = std::as_const(counted_.ruleset)
                                    .table(families_[family_], static_cast<rules::TableId>(table_));
            if (chain_ < table.chains.size()) {
                return true;
            }
        }
    }
    return false;
}

void RulesJson::begin_chain(std::string& out) {
    const auto id = static_cast<rules::TableId>(table_);
    const Family family = families_[family_];
    const rules::Chain& chain = std::as_const(counted_.ruleset).table(family, id).chains[chain_];
    json::object heading{{"family", family == Family::Ipv6 ? "ipv6" : "ipv4"},
                         {"table", rules::name_of(id)},
                         {"chain", as_utf8(chain.name)}};
    if (chain.policy != rules::Policy::None) {
        json::object policy = counters_of(counted_.counters.table(family, id).policy(chain_));
        policy["verdict"] = rules::name_of(chain.policy);
        heading["policy"] = std::move(policy);
    }
    std::string text = json::serialize(heading);
    text.pop_back();  // the rules stand in the same object
    out += (begun_ ? ",\n" : "") + text + ",\"rules\":[";
    begun_ = true;
}

bool RulesJson::advance(std::string& out, std::size_t bytes) {
    const std::size_t begin = out.size();
    if (!begun_ && !in_chain_) {
        out += "[";
    }
    while (out.size() - begin < bytes) {
        if (!in_chain_) {
            if (!next_chain()) {
                out += "]\n";
                return false;
            }
            begin_chain(out);
            in_chain_ = true;
            rule_ = 0;
        }
        const auto id = static_cast<rules::TableId>(table_);
        const Family family = families_[family_];
        const rules::Chain& chain =
            std::as_const(counted_.ruleset).table(family, id).chains[chain_];
        if (rule_ == chain.rules.size()) {
            out += "]}";
            in_chain_ = false;
            ++chain_;
            continue;
        }
        const rules::Rule& rule = chain.rules[rule_];
        json::object row = counters_of(counted_.counters.table(family, id).rule(chain_, rule_));
        row["id"] = raw(rule.id);
        row["number"] = rule_ + 1;
        row["rule"] = as_utf8(rules::rule_text({}, rule));
        row["from"] = as_utf8(origin(rule.where));
        out += (rule_ == 0 ? "\n  " : ",\n  ") + json::serialize(row);
        ++rule_;
    }
    return true;
}

}  // namespace nsr::router
