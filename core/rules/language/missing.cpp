#include "core/rules/language/missing.hpp"

#include <algorithm>
#include <iterator>

namespace nsr::rules {

namespace {

// Kinds of match and target of iptables that have no row.
constexpr std::string_view kMissing[] = {
    "bpf",         "cgroup",   "cluster", "connlabel", "cpu",    "devgroup",  "dst",
    "eui64",       "hbh",      "ipvs",    "mh",        "nfacct", "osf",       "owner",
    "policy",      "rateest",  "realm",   "rt",        "socket", "srh",       "AUDIT",
    "CHECKSUM",    "CLASSIFY", "HMARK",   "CLUSTERIP", "DNPT",   "IDLETIMER", "LED",
    "CONNSECMARK", "NFQUEUE",  "RATEEST", "SECMARK",   "SNPT",   "SYNPROXY",  "TEE",
    "TPROXY",      "ULOG",
};

}  // namespace

bool is_missing_module(std::string_view name) {
    return std::find(std::begin(kMissing), std::end(kMissing), name) != std::end(kMissing);
}

}  // namespace nsr::rules
