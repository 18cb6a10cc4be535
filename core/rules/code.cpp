#include "core/rules/code.hpp"

namespace nsr::rules {

void InterfaceSet::add(IfIndex index) {
    const std::size_t word = raw(index) / 64;
    if (word >= words_.size()) {
        words_.resize(word + 1);
    }
    words_[word] |= std::uint64_t{1} << (raw(index) % 64);
}

void Code::emit_pair(Op op, bool invert, const AddressPair& pair) {
    emit({.op = op, .invert = invert, .value = static_cast<std::uint32_t>(pairs.size())});
    pairs.push_back(pair);
}

// kernel: ifname_compare; without an interface the name is empty, which only "+" matches
void Code::emit_interface(Op op, bool invert, std::string_view pattern) {
    InterfaceSet set;
    const bool prefix = pattern.ends_with('+');
    const std::string_view name = pattern.substr(0, pattern.size() - (prefix ? 1 : 0));
    if (prefix && name.empty()) {
        set.add(IfIndex::None);
    }
    for (const auto& [known, index] : interfaces_) {
        if (prefix ? known.starts_with(name) : known == name) {
            set.add(index);
        }
    }
    emit({.op = op, .invert = invert, .value = static_cast<std::uint32_t>(interface_sets.size())});
    interface_sets.push_back(std::move(set));
}

void Code::emit_call(const Match& match, std::unique_ptr<MatchState> own) {
    emit({.op = Op::Call, .value = static_cast<std::uint32_t>(calls.size())});
    calls.push_back({&match, rule, std::move(own), nullptr});
}

}  // namespace nsr::rules
