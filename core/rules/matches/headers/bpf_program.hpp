// BpfProgram: classic BPF, run over a packet from its IP header on.
//
// Theory of operation
//   A program is at most 64 instructions that work on an accumulator, an index register and 16
//   words of scratch memory. Jumps lead forward only, and check_bpf() refuses what could leave the
//   program or read what was never written, so that a run takes at most 64 steps and needs no
//   limit of its own. A load from beyond the packet ends the program with 0, as does a division
//   by an index register of 0. Offsets relative to the network or the link layer count from the
//   IP header, since there is no link layer.
// kernel: net/core/filter.c
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/rules/action_param.hpp"

namespace nsr::rules {

// kernel: struct sock_filter
struct BpfInstruction {
    std::uint16_t code = 0;
    std::uint8_t if_true = 0;
    std::uint8_t if_false = 0;
    std::uint32_t k = 0;
};

using BpfProgram = std::vector<BpfInstruction>;
inline constexpr std::size_t kMostBpfInstructions = 64;  // kernel: XT_BPF_MAX_NUM_INSTR

// "4,48 0 0 9,21 0 1 6,6 0 0 1,6 0 0 0": the number of instructions, then each. Nothing if it is
// not that. kernel: bpf_parse_string of libxt_bpf.c
std::optional<BpfProgram> parse_bpf(std::string_view text);
std::string to_string(const BpfProgram& program);

// What is wrong with it; empty: it may run. kernel: bpf_check_classic
std::string check_bpf(const BpfProgram& program);

// What it returns. Precondition: check_bpf() finds nothing.
std::uint32_t run_bpf(const BpfProgram& program, const ActionParam& par);

}  // namespace nsr::rules
