// The parts of a classic BPF instruction's code. kernel: uapi/linux/bpf_common.h
#pragma once

#include <cstddef>
#include <cstdint>

namespace nsr::rules::bpf {

inline constexpr std::uint16_t kClassMask = 0x07;
inline constexpr std::uint16_t kLd = 0x00;
inline constexpr std::uint16_t kLdx = 0x01;
inline constexpr std::uint16_t kSt = 0x02;
inline constexpr std::uint16_t kStx = 0x03;
inline constexpr std::uint16_t kAlu = 0x04;
inline constexpr std::uint16_t kJmp = 0x05;
inline constexpr std::uint16_t kRet = 0x06;
inline constexpr std::uint16_t kMisc = 0x07;

inline constexpr std::uint16_t kSizeMask = 0x18;
inline constexpr std::uint16_t kW = 0x00;
inline constexpr std::uint16_t kH = 0x08;
inline constexpr std::uint16_t kB = 0x10;

inline constexpr std::uint16_t kModeMask = 0xe0;
inline constexpr std::uint16_t kImm = 0x00;
inline constexpr std::uint16_t kAbs = 0x20;
inline constexpr std::uint16_t kInd = 0x40;
inline constexpr std::uint16_t kMem = 0x60;
inline constexpr std::uint16_t kLen = 0x80;
inline constexpr std::uint16_t kMsh = 0xa0;

inline constexpr std::uint16_t kOpMask = 0xf0;
inline constexpr std::uint16_t kAdd = 0x00;
inline constexpr std::uint16_t kSub = 0x10;
inline constexpr std::uint16_t kMul = 0x20;
inline constexpr std::uint16_t kDiv = 0x30;
inline constexpr std::uint16_t kOr = 0x40;
inline constexpr std::uint16_t kAnd = 0x50;
inline constexpr std::uint16_t kLsh = 0x60;
inline constexpr std::uint16_t kRsh = 0x70;
inline constexpr std::uint16_t kNeg = 0x80;
inline constexpr std::uint16_t kMod = 0x90;
inline constexpr std::uint16_t kXor = 0xa0;

inline constexpr std::uint16_t kJa = 0x00;
inline constexpr std::uint16_t kJeq = 0x10;
inline constexpr std::uint16_t kJgt = 0x20;
inline constexpr std::uint16_t kJge = 0x30;
inline constexpr std::uint16_t kJset = 0x40;

inline constexpr std::uint16_t kX = 0x08;  // the operand is the index register, not k
inline constexpr std::uint16_t kA = 0x10;  // of kRet: the accumulator is returned
inline constexpr std::uint16_t kTax = 0x00;
inline constexpr std::uint16_t kTxa = 0x80;

inline constexpr std::size_t kMemoryWords = 16;
inline constexpr std::uint32_t kLongestShift = 32;

// Beginnings of the negative offsets that have a meaning of their own.
inline constexpr std::uint32_t kAncillary = 0xfffff000;  // SKF_AD_OFF
inline constexpr std::uint32_t kNetwork = 0xfff00000;    // SKF_NET_OFF
inline constexpr std::uint32_t kLink = 0xffe00000;       // SKF_LL_OFF

// Facts beside the packet, behind kAncillary.
enum class Fact : std::uint32_t {
    Protocol = 0,
    PacketType = 4,
    Interface = 8,
    NetlinkAttribute = 12,
    NestedAttribute = 16,
    Mark = 20,
    Queue = 24,
    HardwareType = 28,
    Hash = 32,
    Cpu = 36,
    XorX = 40,
    VlanTag = 44,
    VlanTagPresent = 48,
    PayloadOffset = 52,
    Random = 56,
    VlanProtocol = 60,
};
inline constexpr std::uint32_t kLastFact = 60;

}  // namespace nsr::rules::bpf
