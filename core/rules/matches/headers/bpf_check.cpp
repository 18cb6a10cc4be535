// The text of a BPF program, and what it may not contain.
#include <algorithm>
#include <array>

#include "core/base/words.hpp"
#include "core/rules/matches/headers/bpf_code.hpp"
#include "core/rules/matches/headers/bpf_program.hpp"
#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using namespace bpf;

// kernel: chk_code_allowed
constexpr auto kAllowed = std::to_array<std::uint16_t>({
    kAlu | kAdd,
    kAlu | kAdd | kX,
    kAlu | kSub,
    kAlu | kSub | kX,
    kAlu | kMul,
    kAlu | kMul | kX,
    kAlu | kDiv,
    kAlu | kDiv | kX,
    kAlu | kMod,
    kAlu | kMod | kX,
    kAlu | kAnd,
    kAlu | kAnd | kX,
    kAlu | kOr,
    kAlu | kOr | kX,
    kAlu | kXor,
    kAlu | kXor | kX,
    kAlu | kLsh,
    kAlu | kLsh | kX,
    kAlu | kRsh,
    kAlu | kRsh | kX,
    kAlu | kNeg,
    kLd | kW | kAbs,
    kLd | kH | kAbs,
    kLd | kB | kAbs,
    kLd | kW | kInd,
    kLd | kH | kInd,
    kLd | kB | kInd,
    kLd | kW | kLen,
    kLd | kImm,
    kLd | kMem,
    kLdx | kW | kLen,
    kLdx | kB | kMsh,
    kLdx | kImm,
    kLdx | kMem,
    kSt,
    kStx,
    kMisc | kTax,
    kMisc | kTxa,
    kRet,
    kRet | kA,
    kJmp | kJa,
    kJmp | kJeq,
    kJmp | kJeq | kX,
    kJmp | kJge,
    kJmp | kJge | kX,
    kJmp | kJgt,
    kJmp | kJgt | kX,
    kJmp | kJset,
    kJmp | kJset | kX,
});

bool is_allowed(std::uint16_t code) {
    return std::find(kAllowed.begin(), kAllowed.end(), code) != kAllowed.end();
}

bool touches_memory(std::uint16_t code) {
    return code == kSt || code == kStx || code == (kLd | kMem) || code == (kLdx | kMem);
}

bool is_jump(std::uint16_t code) {
    return (code & kClassMask) == kJmp;
}

// Of one instruction, `left` of which follow. kernel: bpf_check_classic
std::string problem_of(const BpfInstruction& at, std::size_t left) {
    const auto operation = static_cast<std::uint16_t>(at.code & kOpMask);
    if (!is_allowed(at.code)) {
        return "has the code " + std::to_string(at.code) + ", which there is not";
    }
    if ((at.code == (kAlu | kDiv) || at.code == (kAlu | kMod)) && at.k == 0) {
        return "divides by zero";
    }
    if ((at.code == (kAlu | kLsh) || at.code == (kAlu | kRsh)) && at.k >= kLongestShift) {
        return "shifts by more than 31 bits";
    }
    if (touches_memory(at.code) && at.k >= kMemoryWords) {
        return "names a word of memory above 15";
    }
    if (is_jump(at.code)) {
        const bool leaves =
            operation == kJa ? at.k >= left : at.if_true >= left || at.if_false >= left;
        return leaves ? "jumps out of the program" : "";
    }
    const bool absolute = (at.code & kClassMask) == kLd && (at.code & kModeMask) == kAbs;
    const bool ancillary = absolute && at.k >= kAncillary;
    if (ancillary && ((at.k - kAncillary) % 4 != 0 || at.k - kAncillary > kLastFact)) {
        return "loads a fact that there is not";
    }
    return "";
}

// The first instruction that reads memory which no way to it has written. kernel:
// check_load_and_stores
std::optional<std::size_t> reads_unwritten(const BpfProgram& program) {
    std::vector<std::uint32_t> arriving(program.size(), 0xffff);  // words written on every way
    std::uint32_t written = 0;
    for (std::size_t i = 0; i < program.size(); ++i) {
        const BpfInstruction& at = program[i];
        written &= arriving[i];
        if (at.code == kSt || at.code == kStx) {
            written |= 1u << at.k;
        } else if (touches_memory(at.code) && (written >> at.k & 1) == 0) {
            return i;
        } else if (is_jump(at.code)) {
            const bool always = (at.code & kOpMask) == kJa;
            arriving[i + 1 + (always ? at.k : at.if_true)] &= written;
            arriving[i + 1 + (always ? at.k : at.if_false)] &= written;
            written = 0xffff;
        }
    }
    return std::nullopt;
}

std::optional<BpfInstruction> parse_instruction(std::string_view text) {
    std::vector<std::uint64_t> numbers;
    constexpr std::array<std::uint64_t, 4> kMost = {0xffff, 0xff, 0xff, 0xffffffff};
    for (std::string_view word : split(text, ' ')) {
        if (word.empty()) {
            continue;
        }
        if (numbers.size() == kMost.size()) {
            return std::nullopt;
        }
        const bool negative = word.starts_with('-');
        const auto number =
            parse_leading_decimal(word.substr(negative ? 1 : 0), kMost[numbers.size()]);
        if (!number || !number->rest.empty() || word.starts_with("-+")) {
            return std::nullopt;
        }
        numbers.push_back(negative ? 0x100000000 - number->value : number->value);
    }
    if (numbers.size() != kMost.size()) {
        return std::nullopt;
    }
    return BpfInstruction{
        static_cast<std::uint16_t>(numbers[0]), static_cast<std::uint8_t>(numbers[1]),
        static_cast<std::uint8_t>(numbers[2]), static_cast<std::uint32_t>(numbers[3])};
}

}  // namespace

std::optional<BpfProgram> parse_bpf(std::string_view text) {
    text = text.substr(std::min(text.find_first_not_of(' '), text.size()));
    const std::size_t comma = text.find(',');
    const auto count = parse_leading_decimal(text.substr(0, comma), kMostBpfInstructions);
    if (comma == std::string_view::npos || !count || !count->rest.empty() || count->value == 0) {
        return std::nullopt;
    }
    text = text.substr(comma + 1);
    if (text.ends_with(',')) {
        text.remove_suffix(1);
    }
    BpfProgram program;
    for (const std::string_view part : split(text, ',')) {
        const auto instruction = parse_instruction(part);
        if (!instruction || program.size() == count->value) {
            return std::nullopt;
        }
        program.push_back(*instruction);
    }
    return program.size() == count->value ? std::optional(program) : std::nullopt;
}

std::string to_string(const BpfProgram& program) {
    std::string text = std::to_string(program.size());
    for (const BpfInstruction& at : program) {
        text += "," + std::to_string(at.code) + " " + std::to_string(at.if_true) + " " +
                std::to_string(at.if_false) + " " + std::to_string(at.k);
    }
    return text;
}

std::string check_bpf(const BpfProgram& program) {
    for (std::size_t i = 0; i < program.size(); ++i) {
        const std::string problem = problem_of(program[i], program.size() - i - 1);
        if (!problem.empty()) {
            return "instruction " + std::to_string(i) + " " + problem;
        }
    }
    if (program.empty() || (program.back().code & kClassMask) != kRet) {
        return "the last instruction does not return";
    }
    if (const auto at = reads_unwritten(program)) {
        return "instruction " + std::to_string(*at) + " reads memory that nothing has written";
    }
    return "";
}

}  // namespace nsr::rules
