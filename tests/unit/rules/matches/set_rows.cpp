// What the options of -m set do; the sets are those of some_sets().
#include "tests/unit/rules/rows.hpp"

namespace nsr::test {

namespace {

const PacketBuilder kHost = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();  // 40 bytes
const PacketBuilder kOther = tcp("10.0.0.3:40000", "192.0.2.1:80").syn();

}  // namespace

std::vector<Row> set_rows() {
    return {
        {"set", "match-set", "-m set --match-set hosts src -j DROP", {kHost, kOther}, "D."},
        {"set", "match-set", "-m set ! --match-set hosts src -j DROP", {kHost, kOther}, ".D"},
        {"set", "match-set", "-m set --match-set hosts dst -j DROP", {kHost}, "."},
        {"set", "match-set", "-m set --set hosts src -j DROP", {kHost, kOther}, "D."},
        {"set", "match-set", "-m set --match-set nets src -j DROP", {kHost, kOther}, ".D"},
        {"set", "match-set", "-m set --match-set listed src -j DROP", {kHost, kOther}, "D."},
        {"set",
         "return-nomatch",
         "-m set --match-set nets src --return-nomatch -j DROP",
         {kHost, kOther},
         "D."},
        {"set",
         "update-counters",
         "-m set --match-set counted src ! --update-counters\n"
         "-m set --match-set counted src --packets-eq 6 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "update-subcounters",
         "-m set --match-set listed src ! --update-subcounters\n"
         "-m set --match-set counted src --packets-eq 6 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "packets-eq",
         "-m set --match-set counted src --packets-eq 6 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "packets-eq",
         "-m set --match-set counted src ! --packets-eq 6 -j DROP",
         {kHost, kHost},
         ".D"},
        {"set",
         "packets-lt",
         "-m set --match-set counted src --packets-lt 7 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "packets-gt",
         "-m set --match-set counted src --packets-gt 6 -j DROP",
         {kHost, kHost},
         ".D"},
        {"set",
         "bytes-eq",
         "-m set --match-set counted src --bytes-eq 240 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "bytes-lt",
         "-m set --match-set counted src --bytes-lt 241 -j DROP",
         {kHost, kHost},
         "D."},
        {"set",
         "bytes-gt",
         "-m set --match-set counted src --bytes-gt 240 -j DROP",
         {kHost, kHost},
         ".D"},
    };
}

}  // namespace nsr::test
