// Running a BPF program: one switch over the class of each instruction.
#include <algorithm>
#include <array>

#include "core/rules/matches/headers/bpf_code.hpp"
#include "core/rules/matches/headers/bpf_program.hpp"
#include "core/wire/bytes.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

using namespace bpf;

class Machine {
  public:
    Machine(const BpfProgram& program, const ActionParam& par)
        : program_(program), par_(par), bytes_(par.packet.bytes()) {}

    std::uint32_t run();

  private:
    // Nothing where the program ends with 0.
    [[nodiscard]] std::optional<std::uint32_t> load(const BpfInstruction& at) const;
    [[nodiscard]] std::optional<std::uint32_t> bytes_at(std::uint32_t offset,
                                                        std::uint16_t size) const;
    [[nodiscard]] std::uint32_t fact(std::uint32_t offset) const;
    [[nodiscard]] std::uint32_t payload_offset() const;
    [[nodiscard]] std::uint32_t jump(const BpfInstruction& at) const;
    void exchange(const BpfInstruction& at);
    bool calculate(const BpfInstruction& at);
    [[nodiscard]] bool compares(const BpfInstruction& at) const;
    [[nodiscard]] std::uint32_t operand(const BpfInstruction& at) const {
        return (at.code & kX) != 0 ? x_ : at.k;
    }

    const BpfProgram& program_;
    const ActionParam& par_;
    wire::ConstBytes bytes_;
    std::uint32_t a_ = 0;
    std::uint32_t x_ = 0;
    std::array<std::uint32_t, kMemoryWords> memory_{};
};

std::uint32_t Machine::run() {
    for (std::size_t i = 0; i < program_.size(); ++i) {
        const BpfInstruction& at = program_[i];
        switch (at.code & kClassMask) {
            case kLd:
            case kLdx: {
                const auto value = load(at);
                if (!value) {
                    return 0;
                }
                ((at.code & kClassMask) == kLd ? a_ : x_) = *value;
                break;
            }
            case kSt:
                memory_[at.k] = a_;
                break;
            case kStx:
                memory_[at.k] = x_;
                break;
            case kAlu:
                if (!calculate(at)) {
                    return 0;
                }
                break;
            case kJmp:
                i += jump(at);
                break;
            case kRet:
                return (at.code & kA) != 0 ? a_ : at.k;
            default:
                exchange(at);
        }
    }
    return 0;
}

std::optional<std::uint32_t> Machine::load(const BpfInstruction& at) const {
    const auto size = static_cast<std::uint16_t>(at.code & kSizeMask);
    switch (at.code & kModeMask) {
        case kImm:
            return at.k;
        case kMem:
            return memory_[at.k];
        case kLen:
            return static_cast<std::uint32_t>(bytes_.size());
        case kAbs:
            return at.k >= kAncillary ? fact(at.k - kAncillary) : bytes_at(at.k, size);
        case kInd:
            return bytes_at(x_ + at.k, size);
        default: {  // kMsh: the length of an IPv4 header
            const auto byte = bytes_at(at.k, kB);
            return byte ? std::optional((*byte & 0x0f) * 4) : std::nullopt;
        }
    }
}

// How many instructions are passed over.
std::uint32_t Machine::jump(const BpfInstruction& at) const {
    if ((at.code & kOpMask) == kJa) {
        return at.k;
    }
    return compares(at) ? at.if_true : at.if_false;
}

// One register takes the other's value.
void Machine::exchange(const BpfInstruction& at) {
    if ((at.code & kTxa) != 0) {
        a_ = x_;
    } else {
        x_ = a_;
    }
}

std::size_t count_of(std::uint16_t size) {
    if (size == kW) {
        return 4;
    }
    return size == kH ? 2 : 1;
}

// kernel: bpf_skb_load_helper_8, bpf_internal_load_pointer_neg_helper
std::optional<std::uint32_t> Machine::bytes_at(std::uint32_t offset, std::uint16_t size) const {
    const std::size_t count = count_of(size);
    if (offset >= kNetwork) {
        offset -= kNetwork;
    } else if (offset >= kLink) {
        offset -= kLink;
    }
    if (offset + std::uint64_t{count} > bytes_.size()) {
        return std::nullopt;
    }
    const std::uint8_t* at = bytes_.data() + offset;
    if (size == kW) {
        return wire::load32(at);
    }
    return size == kH ? wire::load16(at) : *at;
}

// kernel: convert_bpf_extensions
std::uint32_t Machine::fact(std::uint32_t offset) const {
    constexpr std::uint32_t kEtherIpv4 = 0x0800;
    constexpr std::uint32_t kEtherIpv6 = 0x86dd;
    constexpr std::uint32_t kNoHardware = 65534;  // ARPHRD_NONE
    const Meta& meta = par_.packet.meta;
    switch (static_cast<Fact>(offset)) {
        case Fact::Protocol:
            return par_.packet.layout.family == Family::Ipv4 ? kEtherIpv4 : kEtherIpv6;
        case Fact::Interface:
            return raw(par_.hook == Hook::Output || par_.hook == Hook::Postrouting ? meta.out
                                                                                   : meta.in);
        case Fact::Mark:
            return meta.mark;
        case Fact::HardwareType:
            return kNoHardware;
        case Fact::XorX:
            return a_ ^ x_;
        case Fact::PayloadOffset:
            return payload_offset();
        case Fact::Random:
            return par_.random.next32();
        case Fact::PacketType:
        case Fact::NetlinkAttribute:
        case Fact::NestedAttribute:
        case Fact::Queue:
        case Fact::Hash:
        case Fact::Cpu:
        case Fact::VlanTag:
        case Fact::VlanTagPresent:
        case Fact::VlanProtocol:
            return 0;
    }
    return 0;
}

// kernel: __skb_get_poff
std::uint32_t Machine::payload_offset() const {
    constexpr std::uint32_t kShort = 8;  // UDP, ICMP
    constexpr std::uint32_t kLong = 12;  // SCTP, DCCP
    const Layout& layout = par_.packet.layout;
    const auto l4 = par_.packet.l4();
    if (!layout.has_l4_header()) {
        return layout.l4_offset;
    }
    switch (layout.protocol) {
        case proto::kTcp: {
            constexpr std::size_t kDataOffsetAt = 12;
            constexpr std::uint32_t kLeast = 20;
            const std::uint32_t given =
                l4.size() > kDataOffsetAt ? (l4[kDataOffsetAt] & 0xf0u) >> 2 : 0;
            return layout.l4_offset + (given == 0 ? 0 : std::max(given, kLeast));
        }
        case proto::kUdp:
        case proto::kUdplite:
        case proto::kIcmp:
        case proto::kIcmpv6:
            return layout.l4_offset + kShort;
        case proto::kSctp:
        case proto::kDccp:
            return layout.l4_offset + kLong;
        default:
            return layout.l4_offset;
    }
}

// False where the program ends with 0: a division by a register that is 0.
bool Machine::calculate(const BpfInstruction& at) {
    const std::uint32_t with = operand(at);
    constexpr std::uint32_t kShiftMask = kLongestShift - 1;
    switch (at.code & kOpMask) {
        case kAdd:
            a_ += with;
            return true;
        case kSub:
            a_ -= with;
            return true;
        case kMul:
            a_ *= with;
            return true;
        case kDiv:
            a_ = with == 0 ? 0 : a_ / with;
            return with != 0;
        case kMod:
            a_ = with == 0 ? 0 : a_ % with;
            return with != 0;
        case kOr:
            a_ |= with;
            return true;
        case kAnd:
            a_ &= with;
            return true;
        case kXor:
            a_ ^= with;
            return true;
        case kLsh:
            a_ <<= with & kShiftMask;
            return true;
        case kRsh:
            a_ >>= with & kShiftMask;
            return true;
        default:  // kNeg
            a_ = 0 - a_;
            return true;
    }
}

bool Machine::compares(const BpfInstruction& at) const {
    const std::uint32_t with = operand(at);
    switch (at.code & kOpMask) {
        case kJeq:
            return a_ == with;
        case kJgt:
            return a_ > with;
        case kJge:
            return a_ >= with;
        default:  // kJset
            return (a_ & with) != 0;
    }
}

}  // namespace

std::uint32_t run_bpf(const BpfProgram& program, const ActionParam& par) {
    constexpr std::size_t kStepWork = 2;
    par.charge(program.size() * kStepWork);
    return Machine(program, par).run();
}

}  // namespace nsr::rules
