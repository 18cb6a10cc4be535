#include "core/rules/program/compiled.hpp"

#include "core/rules/match.hpp"

namespace nsr::rules {

namespace {

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
        if (rule.target != nullptr) {
            row.then = rule.target->compile(table);
        }
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
