#include "core/rules/program/compiled.hpp"

#include "core/base/check.hpp"
#include "core/rules/match.hpp"
#include "core/rules/target.hpp"

namespace nsr::rules {

namespace {

void compile_target(const Rule& rule, const Table& table, CompiledRule& compiled) {
    compiled.target = rule.target.get();
    if (rule.target == nullptr) {
        return;
    }
    if (const auto* mark = dynamic_cast<const MarkTarget*>(rule.target.get())) {
        compiled.action = Action::Mark;
        compiled.operand = mark->value();
        compiled.mask = mark->mask();
        return;
    }
    const auto* standard = dynamic_cast<const StandardTarget*>(rule.target.get());
    if (standard == nullptr) {
        compiled.action = Action::Call;
        return;
    }
    constexpr std::array kActions = {Action::Accept, Action::Drop, Action::Return, Action::Jump,
                                     Action::Goto};
    compiled.action = kActions[static_cast<std::size_t>(standard->kind())];
    if (standard->is_jump()) {
        const Chain* chain = table.find(standard->name());
        NSR_CHECK(chain != nullptr);
        compiled.operand = static_cast<std::uint32_t>(chain - table.chains.data());
    }
}

void compile_chain(const Chain& chain, const Table& table, CompiledTable& compiled, Code& code) {
    CompiledChain out{.first = static_cast<std::uint32_t>(compiled.rules.size()),
                      .policy = chain.policy,
                      .counters = chain.counters,
                      .chain = &chain};
    for (const Rule& rule : chain.rules) {
        CompiledRule row{.first = static_cast<std::uint32_t>(code.instructions.size()),
                         .counters = rule.counters,
                         .rule = &rule};
        code.rule = rule.id;
        for (const auto& match : rule.matches) {
            match->compile(code);
        }
        row.end = static_cast<std::uint32_t>(code.instructions.size());
        compile_target(rule, table, row);
        compiled.rules.push_back(row);
    }
    out.end = static_cast<std::uint32_t>(compiled.rules.size());
    compiled.chains.push_back(out);
}

}  // namespace

CompiledTable compile_table(const Table& table, Code& code) {
    CompiledTable compiled;
    compiled.loaded = table.loaded;
    for (std::size_t i = 0; i < table.chains.size(); ++i) {
        const Chain& chain = table.chains[i];
        for (unsigned h = 0; chain.policy != Policy::None && h < kHookCount; ++h) {
            if (nsr::name_of(static_cast<Hook>(h)) == chain.name) {
                compiled.entry[h] = static_cast<std::int32_t>(i);
            }
        }
        compile_chain(chain, table, compiled, code);
    }
    return compiled;
}

}  // namespace nsr::rules
