// What `nsrouter explain` is asked, as lines of text: the body of POST /explain.
//
//     packet tcp 10.0.1.2:40000 > 10.0.2.2:80 S in lan      the packet; words: packet_words.hpp
//     bytes lan 45000028...                                 or one of a capture, in hexadecimal
//     record 17                                             or one that the recorder kept
//     reply                                                 and the answer to it
//     then tcp 10.0.1.2:40000 > 10.0.2.2:80 .               and what follows, in this order
//     if-rule FORWARD -p tcp --dport 80 -j ACCEPT           as if this rule stood first
//     if-sysctl net.netfilter.nf_conntrack_tcp_be_liberal=1 as if this were set
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/base/result.hpp"
#include "router/explain/packet_words.hpp"

namespace nsr::router {

struct PacketBytes {
    std::string interface;
    std::vector<std::uint8_t> bytes;
};

struct PacketOfRecord {
    std::uint64_t number = 0;
};

struct ExplainRequest {
    using Asked = std::variant<PacketWords, PacketBytes, PacketOfRecord>;
    static constexpr std::size_t kMostPackets = 64;

    std::vector<Asked> packets;
    bool reply = false;  // to the first of them
    std::vector<std::string> rules;
    std::vector<std::string> sysctls;
    bool json = false;
};

// The error is a sentence that says which line and which column of it is wrong.
Result<ExplainRequest, std::string> parse_explain_request(std::string_view body);

}  // namespace nsr::router
