// Help: what a connection that a helper follows, or that was expected, carries beside its record.
// A side record of the table, named by Extra::help. kernel: struct nf_conn_help, nf_conn_seqadj
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "core/conntrack/record/helper_info.hpp"
#include "core/conntrack/record/sequence_adjust.hpp"
#include "core/wire/address.hpp"

namespace nsr::conntrack {

inline constexpr std::uint32_t kNoExpectation = 0;  // numbers of expectations begin at 1

// Where the last lines of a control connection ended. kernel: struct nf_ct_ftp_master
struct FtpHelp {
    static constexpr std::size_t kRemembered = 2;
    std::array<std::array<std::uint32_t, kRemembered>, 2> after_newline{};  // by Direction
    std::array<std::uint8_t, 2> known{};                                    // how many of them
};

// kernel: struct nf_ct_sane_master
struct SaneHelp {
    std::uint8_t start_requested = 0;  // or 1; no bool, for it may come from a file
};

// Call ids in host order: as the ends know them, and (nat) as the other side of NAT does.
// kernel: struct nf_ct_pptp_master, nf_nat_pptp
struct PptpHelp {
    std::uint8_t session = 0;
    std::uint8_t call = 0;
    std::uint16_t pac_call_id = 0;
    std::uint16_t pns_call_id = 0;
    std::uint16_t nat_pac_call_id = 0;
    std::uint16_t nat_pns_call_id = 0;
};

// kernel: struct nf_ct_sip_master
struct SipHelp {
    std::uint32_t register_cseq = 0;
    std::uint32_t invite_cseq = 0;
    Port forced_dport = 0;
};

union HelpData {
    FtpHelp ftp{};
    SaneHelp sane;
    PptpHelp pptp;
    SipHelp sip;
};

struct alignas(64) Help {
    std::uint32_t newest = kNoExpectation;  // of its expectations; not kept over a restart
    HelperId helper = HelperId::None;
    HelperId of_master = HelperId::None;  // it was expected: the helper that said so
    std::array<std::uint8_t, kExpectClasses> expecting{};
    SequenceAdjusts adjusts;
    HelpData data;
};
static_assert(std::is_trivially_copyable_v<Help>);
static_assert(sizeof(Help) == 64);

}  // namespace nsr::conntrack
