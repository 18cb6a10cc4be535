// Code: the flat form of all rules of a program.
//
// Every chain is a run of CompiledRule, every rule a run of Instruction. An instruction is one
// compare; what does not fit into it (IPv6 addresses, sets of interfaces, calls) lies in side
// tables named by `value`.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/rules/state.hpp"

namespace nsr::rules {

class Match;

enum class Op : std::uint8_t {
    Protocol,         // low
    Source4,          // (source & mask) == value
    Destination4,     //
    Source6,          // pairs[value]
    Destination6,     //
    InInterface,      // interface_sets[value]
    OutInterface,     //
    Fragment,         // fragment offset > 0
    TransportHeader,  // low: bytes that must be there; high: TCP's rule about fragments
    SourcePort,       // low..high; behind TransportHeader
    DestinationPort,  //
    TcpFlags,         // (flags & mask) == value; behind TransportHeader
    IcmpType,         // value: type (0xff: any, in IPv4), low..high: code; behind TransportHeader
    CtState,          // mask of ctstate::k*
    Mark,             // (mark & mask) == value
    Call,             // calls[value]
};

struct Instruction {
    Op op = Op::Call;
    bool invert = false;
    std::uint16_t low = 0;
    std::uint16_t high = 0;
    std::uint32_t value = 0;
    std::uint32_t mask = 0;
};
static_assert(sizeof(Instruction) == 16);

namespace ctstate {
inline constexpr std::uint32_t kInvalid = 1u << 0;
inline constexpr std::uint32_t kNew = 1u << 1;
inline constexpr std::uint32_t kRelated = 1u << 2;
inline constexpr std::uint32_t kEstablished = 1u << 3;
inline constexpr std::uint32_t kUntracked = 1u << 4;
inline constexpr std::uint32_t kSnat = 1u << 5;
inline constexpr std::uint32_t kDnat = 1u << 6;
}  // namespace ctstate

struct AddressPair {
    std::array<std::uint32_t, 4> address{};
    std::array<std::uint32_t, 4> mask{};
};

class InterfaceSet {
  public:
    void add(IfIndex index);
    [[nodiscard]] bool contains(IfIndex index) const {
        const std::size_t word = raw(index) / 64;
        return word < words_.size() && (words_[word] >> (raw(index) % 64) & 1) != 0;
    }

  private:
    std::vector<std::uint64_t> words_;
};

class Code {
  public:
    explicit Code(std::vector<std::pair<std::string, IfIndex>> interfaces)
        : interfaces_(std::move(interfaces)) {}

    void emit(Instruction instruction) { instructions.push_back(instruction); }
    void emit_pair(Op op, bool invert, const AddressPair& pair);
    // `pattern` is a name, or a prefix followed by "+".
    void emit_interface(Op op, bool invert, std::string_view pattern);
    // `own`: what the match remembers for itself, if anything.
    void emit_call(const Match& match, std::unique_ptr<MatchState> own = nullptr);

    [[nodiscard]] const std::vector<std::pair<std::string, IfIndex>>& interfaces() const {
        return interfaces_;
    }
    RuleId rule = RuleId::None;  // the one being compiled

    struct Call {
        const Match* match;
        RuleId rule;
        std::unique_ptr<MatchState> own;
        MatchState* state = nullptr;  // its own or the one it shares
    };
    std::vector<Instruction> instructions;
    std::vector<AddressPair> pairs;
    std::vector<InterfaceSet> interface_sets;
    std::vector<Call> calls;

  private:
    std::vector<std::pair<std::string, IfIndex>> interfaces_;
};

}  // namespace nsr::rules
