// How much of a packet LOG tells: --log-tcp-sequence, --log-tcp-options, --log-ip-options.
#pragma once

namespace nsr::rules {

struct LogDetail {
    bool tcp_sequence = false;
    bool tcp_options = false;
    bool ip_options = false;
};
// kernel: default_loginfo, for what the kernel itself has to say
inline constexpr LogDetail kAllDetail{true, true, true};

}  // namespace nsr::rules
