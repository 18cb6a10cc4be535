#include "core/rules/code.hpp"

namespace nsr::rules {

void InterfaceSet::add(IfIndex index) {
    const std::size_t word = raw(index) / 64;
    if (word >= words_.size()) {
        words_.resize(word + 1);
    }
    words_[word] |= std::uint64_t{1} << (raw(index) % 64);
}

void Code::emit(Instruction instruction) {
    instructions.push_back(instruction);
    if (instruction.op == Op::TcpFlags) {
        tcp_flags |= static_cast<std::uint8_t>(instruction.mask);
    }
}

void Code::emit_pair(Op op, bool invert, const AddressPair& pair) {
    emit({.op = op, .invert = invert, .value = static_cast<std::uint32_t>(pairs.size())});
    pairs.push_back(pair);
}

void Code::emit_interface(Op op, bool invert, std::string_view pattern) {
    const auto [known, added] = known_interfaces_.try_emplace(
        std::string(pattern), static_cast<std::uint32_t>(interfaces.size()));
    if (added) {
        interfaces.emplace_back(pattern);
    }
    emit({.op = op, .invert = invert, .value = known->second});
}

void Code::emit_call(const Match& match, bool searches_packet) {
    emit({.op = Op::Call,
          .high = static_cast<std::uint16_t>(searches_packet ? 1 : 0),
          .value = static_cast<std::uint32_t>(calls.size())});
    calls.push_back(&match);
}

}  // namespace nsr::rules
