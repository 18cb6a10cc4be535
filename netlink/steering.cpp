#include "netlink/steering.hpp"

#include <linux/bpf.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>
#include <vector>

#include "netlink/error.hpp"

namespace nsr::netlink {
namespace {

// --- an assembler -------------------------------------------------------------------------------

enum class Register : std::uint8_t {};

// Calls change these.
constexpr Register kResult{BPF_REG_0};  // of a call, and of the program
constexpr Register kArgument1{BPF_REG_1};
constexpr Register kArgument2{BPF_REG_2};
constexpr Register kArgument3{BPF_REG_3};
constexpr Register kArgument4{BPF_REG_4};
constexpr Register kScratch = kArgument1;
constexpr Register kOffset = kArgument2;  // in the packet, until it is read
// They survive a call.
constexpr Register kPacket{BPF_REG_6};
constexpr Register kAddresses{BPF_REG_7};  // their sum
constexpr Register kPorts{BPF_REG_8};      // their sum
constexpr Register kProtocol{BPF_REG_9};
constexpr Register kStack{BPF_REG_10};  // the end of the stack

enum class Label : std::uint8_t { Ipv6, Transport, Read, Icmp, Icmpv6, Echo, Hash, Nowhere, Count };

enum class Size : std::uint8_t { Byte = BPF_B, Half = BPF_H, Word = BPF_W };

// One method for each kind of instruction. Arithmetic of 32 bits clears the upper half. A jump goes
// to a label, whose place may come later.
class Assembler {
  public:
    void alu32(int operation, Register to, std::uint32_t value) {
        add(BPF_ALU | BPF_K | operation, to, {}, 0, value);
    }
    void alu32(int operation, Register to, Register with) {
        add(BPF_ALU | BPF_X | operation, to, with);
    }
    void alu64(int operation, Register to, std::uint32_t value) {
        add(BPF_ALU64 | BPF_K | operation, to, {}, 0, value);
    }
    void alu64(int operation, Register to, Register with) {
        add(BPF_ALU64 | BPF_X | operation, to, with);
    }
    // A number that is in wire order on the stack.
    void load(Register to, Size size, int at) {
        add(BPF_LDX | BPF_MEM | static_cast<int>(size), to, kStack, at);
        if (size != Size::Byte) {
            add(BPF_ALU | BPF_END | BPF_TO_BE, to, {}, 0, size == Size::Half ? 16 : 32);
        }
    }
    void call(bpf_func_id helper) { add(BPF_JMP | BPF_CALL, {}, {}, 0, helper); }
    void exit() { add(BPF_JMP | BPF_EXIT); }

    void jump(Label to) {
        jumps_.emplace_back(code_.size(), to);
        add(BPF_JMP | BPF_JA);
    }
    void jump_if(int relation, Register what, std::uint32_t value, Label to) {
        jumps_.emplace_back(code_.size(), to);
        add(BPF_JMP | BPF_K | relation, what, {}, 0, value);
    }
    void place(Label label) { places_[static_cast<std::size_t>(label)] = code_.size(); }

    [[nodiscard]] std::vector<bpf_insn> finish() && {
        for (const auto& [from, label] : jumps_) {
            const std::size_t to = places_[static_cast<std::size_t>(label)];
            code_[from].off = static_cast<std::int16_t>(to - (from + 1));
        }
        return std::move(code_);
    }

  private:
    void add(int code, Register to = {}, Register from = {}, int offset = 0,
             std::uint32_t value = 0) {
        bpf_insn instruction{};
        instruction.code = static_cast<std::uint8_t>(code);
        instruction.dst_reg = static_cast<std::uint8_t>(to) & 0xf;
        instruction.src_reg = static_cast<std::uint8_t>(from) & 0xf;
        instruction.off = static_cast<std::int16_t>(offset);
        instruction.imm = static_cast<std::int32_t>(value);
        code_.push_back(instruction);
    }

    std::vector<bpf_insn> code_;
    std::vector<std::pair<std::size_t, Label>> jumps_;
    std::array<std::size_t, static_cast<std::size_t>(Label::Count)> places_{};
};

// --- the program --------------------------------------------------------------------------------

// Headers, as they are copied to the stack. The transport header of any protocol asked for has at
// least these 8 bytes.
constexpr std::uint32_t kIpv4Bytes = 20;
constexpr std::uint32_t kIpv6Bytes = 40;
constexpr std::uint32_t kTransportBytes = 8;
constexpr int kIpHeader = -40;
constexpr int kTransportHeader = kIpHeader - 8;

constexpr std::uint32_t kFragmentBits = 0x3fff;  // more fragments, and the offset
constexpr std::array<std::uint32_t, 6> kProtocolsRead = {
    IPPROTO_TCP, IPPROTO_UDP, IPPROTO_UDPLITE, IPPROTO_SCTP, IPPROTO_ICMP, IPPROTO_ICMPV6};
constexpr std::uint32_t kEchoReply = 0;
constexpr std::uint32_t kEcho = 8;
constexpr std::uint32_t kEchoV6 = 128;
constexpr std::uint32_t kEchoReplyV6 = 129;

// Packets need not lie in one piece, and this type of program may not look into them directly.
void read_packet(Assembler& program, std::uint32_t bytes, int to, Label if_too_short) {
    program.alu64(BPF_MOV, kArgument1, kPacket);
    program.alu64(BPF_MOV, kArgument3, kStack);
    program.alu64(BPF_ADD, kArgument3, static_cast<std::uint32_t>(to));
    program.alu32(BPF_MOV, kArgument4, bytes);
    program.call(BPF_FUNC_skb_load_bytes);
    program.jump_if(BPF_JNE, kResult, 0, if_too_short);
}

void read_ip_header(Assembler& program, std::uint32_t bytes) {
    program.alu32(BPF_MOV, kOffset, 0U);
    read_packet(program, bytes, kIpHeader, Label::Nowhere);
}

void begin(Assembler& program) {
    program.alu64(BPF_MOV, kPacket, kArgument1);
    program.alu32(BPF_MOV, kAddresses, 0U);
    program.alu32(BPF_MOV, kPorts, 0U);
}

// The first 20 bytes tell the families apart, and are all of IPv4.
void tell_family(Assembler& program) {
    read_ip_header(program, kIpv4Bytes);
    program.load(kScratch, Size::Byte, kIpHeader);
    program.alu32(BPF_RSH, kScratch, 4U);
    program.jump_if(BPF_JEQ, kScratch, 6, Label::Ipv6);
    program.jump_if(BPF_JNE, kScratch, 4, Label::Nowhere);
}

void add_addresses(Assembler& program, int at, int words) {
    for (int i = 0; i < words; ++i) {
        program.load(kScratch, Size::Word, at + 4 * i);
        program.alu32(BPF_ADD, kAddresses, kScratch);
    }
}

// With a header of less than 20 bytes it is dropped by whichever shard it comes to.
void take_ipv4(Assembler& program) {
    add_addresses(program, kIpHeader + 12, 2);
    program.load(kScratch, Size::Half, kIpHeader + 6);
    program.alu32(BPF_AND, kScratch, kFragmentBits);
    program.jump_if(BPF_JNE, kScratch, 0, Label::Hash);
    program.load(kProtocol, Size::Byte, kIpHeader + 9);
    program.load(kOffset, Size::Byte, kIpHeader);
    program.alu32(BPF_AND, kOffset, 0xfU);
    program.alu32(BPF_LSH, kOffset, 2U);  // words to bytes
    program.jump(Label::Transport);
}

void take_ipv6(Assembler& program) {
    program.place(Label::Ipv6);
    read_ip_header(program, kIpv6Bytes);
    add_addresses(program, kIpHeader + 8, 8);
    program.load(kProtocol, Size::Byte, kIpHeader + 6);
    program.alu32(BPF_MOV, kOffset, kIpv6Bytes);
}

// Begins with kProtocol and kOffset, ends with kPorts.
void take_transport(Assembler& program) {
    program.place(Label::Transport);
    for (const std::uint32_t protocol : kProtocolsRead) {
        program.jump_if(BPF_JEQ, kProtocol, protocol, Label::Read);
    }
    program.jump(Label::Hash);
    program.place(Label::Read);
    read_packet(program, kTransportBytes, kTransportHeader, Label::Hash);
    program.jump_if(BPF_JEQ, kProtocol, IPPROTO_ICMP, Label::Icmp);
    program.jump_if(BPF_JEQ, kProtocol, IPPROTO_ICMPV6, Label::Icmpv6);
    program.load(kPorts, Size::Half, kTransportHeader);
    program.load(kScratch, Size::Half, kTransportHeader + 2);
    program.alu32(BPF_ADD, kPorts, kScratch);
    program.jump(Label::Hash);
}

void take_echo(Assembler& program) {
    program.place(Label::Icmp);
    program.load(kScratch, Size::Byte, kTransportHeader);
    program.jump_if(BPF_JEQ, kScratch, kEcho, Label::Echo);
    program.jump_if(BPF_JEQ, kScratch, kEchoReply, Label::Echo);
    program.jump(Label::Hash);
    program.place(Label::Icmpv6);
    program.load(kScratch, Size::Byte, kTransportHeader);
    program.jump_if(BPF_JEQ, kScratch, kEchoV6, Label::Echo);
    program.jump_if(BPF_JNE, kScratch, kEchoReplyV6, Label::Hash);
    program.place(Label::Echo);
    program.load(kPorts, Size::Half, kTransportHeader + 4);  // the identifier
}

// kAddresses becomes the hash. HomeHash::of_sums, line by line.
void return_hash(Assembler& program, const SteeringHash& hash) {
    program.place(Label::Hash);
    program.alu32(BPF_MUL, kPorts, hash.port_factor);
    program.alu32(BPF_ADD, kAddresses, kPorts);
    program.alu32(BPF_XOR, kAddresses, hash.key);
    program.alu32(BPF_MUL, kAddresses, hash.factor1);

    program.alu32(BPF_MOV, kScratch, kAddresses);
    program.alu32(BPF_RSH, kScratch, hash.shift1);
    program.alu32(BPF_XOR, kAddresses, kScratch);
    program.alu32(BPF_MUL, kAddresses, hash.factor2);

    program.alu32(BPF_MOV, kScratch, kAddresses);
    program.alu32(BPF_RSH, kScratch, hash.shift2);
    program.alu32(BPF_XOR, kAddresses, kScratch);

    program.alu64(BPF_MUL, kAddresses, hash.shards);
    program.alu64(BPF_RSH, kAddresses, 32U);
    program.alu64(BPF_MOV, kResult, kAddresses);
    program.exit();
}

void return_nowhere(Assembler& program) {
    program.place(Label::Nowhere);
    program.alu32(BPF_MOV, kResult, 0U);
    program.exit();
}

std::vector<bpf_insn> assemble(const SteeringHash& hash) {
    Assembler program;
    begin(program);
    tell_family(program);
    take_ipv4(program);
    take_ipv6(program);
    take_transport(program);
    take_echo(program);
    return_hash(program, hash);
    return_nowhere(program);
    return std::move(program).finish();
}

std::uint64_t address_of_object(const void* object) {
    return reinterpret_cast<std::uintptr_t>(object);
}

}  // namespace

Descriptor load_steering(const SteeringHash& hash) {
    const std::vector<bpf_insn> program = assemble(hash);
    bpf_attr request;
    std::memset(&request, 0, sizeof request);  // kernel: E2BIG for anything unknown that is not 0
    request.prog_type = BPF_PROG_TYPE_SOCKET_FILTER;
    request.insns = address_of_object(program.data());
    request.insn_cnt = static_cast<std::uint32_t>(program.size());
    request.license = address_of_object("Apache-2.0");  // it calls nothing kept for the GPL
    std::memcpy(request.prog_name, "nsr_steering", sizeof "nsr_steering");
    const long result = ::syscall(SYS_bpf, BPF_PROG_LOAD, &request, sizeof request);
    return Descriptor(check_call("load the steering program", static_cast<int>(result)));
}

void steer(const Tun& tun, const Descriptor& program) {
    int fd = program.get();
    check_call("give device " + tun.name + " the steering program",
               ::ioctl(tun.descriptor.get(), TUNSETSTEERINGEBPF, &fd));
}

}  // namespace nsr::netlink
