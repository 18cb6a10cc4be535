#include "core/rules/program/program.hpp"

#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/check.hpp"
#include "core/rules/needs.hpp"
#include "core/rules/program/traversal.hpp"

namespace nsr::rules {

struct Program::Impl {
    Impl(Ruleset&& ruleset, InterfaceNames&& interfaces, const Base& base)
        : compiled(compile(std::move(ruleset), std::move(interfaces), base.compiled.get())),
          built_on(base.compiled),
          succession(std::in_place, *compiled, base),
          memory(succession->take_memory()),
          room{std::vector<Traversal::Frame>(compiled->deepest), {}},
          accounting(rules::begins_accounting(
              compiled->ruleset, built_on != nullptr ? built_on->ruleset : Ruleset{})) {}

    [[nodiscard]] const CompiledTable& table(Family family, TableId id) const {
        return *compiled->tables[index_of(family)][static_cast<std::size_t>(id)];
    }

    std::shared_ptr<const CompiledRuleset> compiled;
    std::shared_ptr<const CompiledRuleset> built_on;
    std::optional<Succession> succession;  // until it is carried out; then what is over
    bool ready = false;
    TableMemories memory;
    SharedStates shared;
    VerdictCache verdicts;
    TableVerdict decided;  // by the last walk
    Traversal::Room room;  // loops are refused, so the stack is as deep as there are chains
    bool accounting = false;
};

Program::Program(Ruleset ruleset, InterfaceNames interfaces)
    : Program(std::move(ruleset), std::move(interfaces), Base{}) {
    TableMemories nothing;
    impl_->succession->carry_out(nothing, impl_->memory, impl_->shared);
    impl_->ready = true;
}

Program::Program(Ruleset ruleset, InterfaceNames interfaces, const Base& base)
    : impl_(std::make_unique<Impl>(std::move(ruleset), std::move(interfaces), base)) {
    note_chains();
    order_chains();
}

Program::~Program() = default;
Program::Program(Program&&) noexcept = default;
Program& Program::operator=(Program&&) noexcept = default;

Program::Base Program::base(CountersReading& reading) const {
    NSR_CHECK(reading.of_ == impl_->compiled);
    return {impl_->compiled, reading.take()};
}

Program::Base Program::base() const {
    return {impl_->compiled, counted()};
}

void Program::take_over(Program& previous) {
    NSR_CHECK(previous.impl_->ready);
    if (impl_->built_on != previous.impl_->compiled) {
        impl_ = std::make_unique<Impl>(Ruleset(ruleset()), InterfaceNames(interfaces()),
                                       previous.base());
    }
    impl_->shared = std::move(previous.impl_->shared);
    impl_->succession->carry_out(previous.impl_->memory, impl_->memory, impl_->shared);
    impl_->ready = true;
    previous.impl_->ready = false;
    previous.impl_->succession = std::exchange(impl_->succession, std::nullopt);
    previous.impl_->built_on = std::exchange(impl_->built_on, nullptr);
}

void Program::note_chains() {
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        for (std::size_t table = 0; table < kTableCount; ++table) {
            const CompiledTable& compiled = impl_->table(family, TableId(table));
            tables_[index_of(family)] |= compiled.source->loaded ? 1u << table : 0u;
            const auto& entries = compiled.entry;
            for (std::size_t hook = 0; hook < entries.size(); ++hook) {
                const std::uint32_t bit = 1u << chain_number(TableId(table), Hook(hook));
                chains_[index_of(family)] |= entries[hook] >= 0 ? bit : 0u;
            }
        }
    }
}

// The walks of a connection have places beside each other: one for each chain but those of NAT,
// first those that a forwarded packet asks. An odd number of them, so that they come to lie
// everywhere.
void Program::order_chains() {
    constexpr std::array kHooks = {Hook::Forward, Hook::Prerouting, Hook::Postrouting, Hook::Input,
                                   Hook::Output};
    for (const Family family : {Family::Ipv4, Family::Ipv6}) {
        Walks& walks = walks_[index_of(family)];
        for (const Hook hook : kHooks) {
            for (std::size_t i = 0; i < kTableCount; ++i) {
                const auto table = static_cast<TableId>(i);
                const bool counts = table != TableId::Nat && has(family, table, hook);
                walks.order[chain_number(table, hook)] = walks.places;
                if (counts) {
                    ++walks.places;
                }
            }
            if (hook == Hook::Postrouting) {
                walks.of_forwarded = walks.places;
            }
        }
        walks.places |= 1;
    }
}

void Program::prefetch(const Packet& packet) const {
    if (packet.meta.conn != ConnId::None && !impl_->verdicts.rests()) {
        const Walks& walks = walks_[index_of(packet.layout.family)];
        impl_->verdicts.prefetch(packet.meta, walks.places, walks.of_forwarded);
    }
}

// Who watches sees every rule tried.
const TableVerdict& Program::run(ActionParam& par, RuleObserver* observer) {
    const Family family = par.packet.layout.family;
    if (!has(family, par.table, par.hook)) {
        return impl_->decided = {};
    }
    NSR_CHECK(impl_->ready);
    const bool looks = observer == nullptr && impl_->verdicts.worth_a_look();
    const std::uint8_t flags = impl_->table(family, par.table).tcp_flags;
    const auto key = looks ? walk_key_of(par, flags) : std::nullopt;
    if (!key) {
        return walk(nullptr, par, observer);
    }
    const unsigned chain = chain_number(par.table, par.hook);
    const Walks& walks = walks_[index_of(family)];
    const VerdictCache::Sought sought(*key, par.packet.meta, {walks.order[chain], walks.places});
    const TableVerdict* known = impl_->verdicts.repeat(sought, par.packet.layout.total_length);
    return known != nullptr ? *known : walk(&sought, par, nullptr);
}

// A walk may change the packet: what is sought is from before.
const TableVerdict& Program::walk(const VerdictCache::Sought* sought, ActionParam& par,
                                  RuleObserver* observer) {
    const Family family = par.packet.layout.family;
    const CompiledTable& compiled = impl_->table(family, par.table);
    TableMemory& memory = impl_->memory[index_of(family)][static_cast<std::size_t>(par.table)];
    Traversal traversal(compiled, impl_->compiled->keys, memory, impl_->room, par);
    traversal.set_observer(observer);
    const std::int32_t entry = compiled.entry[static_cast<std::size_t>(par.hook)];
    impl_->decided = traversal.run(static_cast<std::uint32_t>(entry));
    if (const auto counted = traversal.repeatable(); counted && sought != nullptr) {
        impl_->verdicts.remember(*sought, impl_->decided, *counted);
    }
    return impl_->decided;
}

const Ruleset& Program::ruleset() const {
    return impl_->compiled->ruleset;
}

const InterfaceNames& Program::interfaces() const {
    return impl_->compiled->interfaces;
}

bool Program::read_counters(CountersReading& reading) const {
    constexpr std::size_t kAtATime = 8192;
    if (reading.of_ != impl_->compiled) {
        reading.begin(impl_->compiled);
    }
    return reading.advance(impl_->memory, kAtATime);
}

Counted Program::counted() const {
    CountersReading reading;
    while (!read_counters(reading)) {
    }
    return reading.take();
}

const std::string& Program::needs_tracking(Family family) const {
    return impl_->compiled->tracking[index_of(family)];
}

bool Program::begins_accounting() const {
    return impl_->accounting;
}

std::optional<RulePlace> Program::find(RuleId id) const {
    return impl_->compiled->places.find(id);
}

std::size_t Program::remembered() const {
    std::size_t sum = impl_->shared.remembered();
    for (const auto& family : impl_->memory) {
        for (const TableMemory& table : family) {
            for (const ChainMemory& chain : table) {
                for (const auto& block : chain.blocks) {
                    for (const auto& state : block->own) {
                        sum += state != nullptr ? state->remembered() : 0;
                    }
                }
            }
        }
    }
    return sum;
}

}  // namespace nsr::rules
