// Code: the flat form of the rules of a block.
//
// Every rule is a run of Instruction. An instruction is one compare; what does not fit into it
// (IPv6 addresses, names of interfaces, calls) lies in side tables named by `value`. Code depends
// on the rules alone, so that programs can share it: which interfaces a name stands for, and what
// a match remembers, is added when it is linked (program/).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/ids.hpp"

namespace nsr::rules {

class Match;

enum class Op : std::uint8_t {
    Protocol,         // low
    Source4,          // (source & mask) == value
    Destination4,     //
    Source6,          // pairs[value]
    Destination6,     //
    InInterface,      // of interfaces[value]: a name, or a prefix followed by "+"
    OutInterface,     //
    Fragment,         // fragment offset > 0
    TransportHeader,  // low: bytes that must be there; high: TCP's rule about fragments
    SourcePort,       // low..high; behind TransportHeader
    DestinationPort,  //
    TcpFlags,         // (flags & mask) == value; behind TransportHeader
    IcmpType,         // value: type (0xff: any, in IPv4), low..high: code; behind TransportHeader
    CtState,          // mask of ctstate::k*
    Mark,             // (mark & mask) == value
    Call,             // calls[value]; high: it searches the packet
};

// Whether packets with the same WalkKey (program/verdict_cache.hpp) are the same to it. A new one
// is not, until somebody has looked.
constexpr bool told_by_key(Op op) {
    switch (op) {
        case Op::Protocol:
        case Op::Source4:
        case Op::Destination4:
        case Op::Source6:
        case Op::Destination6:
        case Op::InInterface:
        case Op::OutInterface:
        case Op::Fragment:
        case Op::TransportHeader:
        case Op::SourcePort:
        case Op::DestinationPort:
        case Op::TcpFlags:
        case Op::CtState:
        case Op::Mark:
            return true;
        case Op::IcmpType:
        case Op::Call:
            return false;
    }
    return false;
}

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

struct Name {
    std::string_view name;
    std::uint32_t bits;
};
// In the order in which iptables-save writes them.
inline constexpr std::array kNames = std::to_array<Name>({
    {"INVALID", kInvalid},
    {"NEW", kNew},
    {"RELATED", kRelated},
    {"ESTABLISHED", kEstablished},
    {"UNTRACKED", kUntracked},
    {"SNAT", kSnat},
    {"DNAT", kDnat},
});
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
    void emit(Instruction instruction);
    void emit_pair(Op op, bool invert, const AddressPair& pair);
    // `pattern` is a name, or a prefix followed by "+".
    void emit_interface(Op op, bool invert, std::string_view pattern);
    // `match` must outlive the code.
    void emit_call(const Match& match, bool searches_packet = false);

    std::vector<Instruction> instructions;
    std::vector<AddressPair> pairs;
    std::vector<std::string> interfaces;
    std::vector<const Match*> calls;
    std::uint8_t tcp_flags = 0;  // all that some instruction asks for

  private:
    std::unordered_map<std::string, std::uint32_t> known_interfaces_;
};

}  // namespace nsr::rules
