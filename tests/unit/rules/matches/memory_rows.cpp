// What the options of matches that remember, or know the time, do.
#include "tests/unit/rules/rows.hpp"

namespace nsr::test {

namespace {

using namespace std::chrono_literals;

const PacketBuilder kA = tcp("10.0.0.2:40000", "192.0.2.1:80").syn();  // 40 bytes
const PacketBuilder kB = tcp("10.0.0.3:40000", "192.0.2.1:80").syn();
const PacketBuilder kFar = tcp("10.0.1.2:40000", "192.0.2.1:80").syn();
const PacketBuilder kElsewhere = tcp("10.0.0.2:40000", "192.0.2.9:80").syn();

PacketBuilder with_ttl(std::uint8_t ttl) {
    PacketBuilder changed = kA;
    return changed.ttl(ttl);
}

void add_hashlimit(std::vector<Row>& rows) {
    const std::vector<Row> hashlimit = {
        {"hashlimit",
         "hashlimit-upto",
         "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 2 --hashlimit-mode srcip"
         " --hashlimit-name x -j DROP",
         {kA, kA, kA, kB},
         "DD.D"},
        {"hashlimit",
         "hashlimit-above",
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 2 --hashlimit-mode srcip"
         " --hashlimit-name x -j DROP",
         {kA, kA, kA, kB},
         "..D."},
        {"hashlimit",
         "hashlimit-burst",
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 3 --hashlimit-name x -j DROP",
         {kA, kA, kA, kA},
         "...D"},
        {"hashlimit",
         "hashlimit-mode",
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode dstip"
         " --hashlimit-name x -j DROP",
         {kA, kB, kElsewhere},
         ".D."},
        {"hashlimit",
         "hashlimit-srcmask",
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode srcip"
         " --hashlimit-srcmask 24 --hashlimit-name x -j DROP",
         {kA, kB, kFar},
         ".D."},
        {"hashlimit",
         "hashlimit-dstmask",
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-mode dstip"
         " --hashlimit-dstmask 24 --hashlimit-name x -j DROP",
         {kA, kElsewhere},
         ".D"},
        {"hashlimit",
         "hashlimit-name",
         "-m hashlimit --hashlimit-upto 1/hour --hashlimit-burst 1 --hashlimit-name x\n"
         "-m hashlimit --hashlimit-above 1/hour --hashlimit-burst 1 --hashlimit-name x -j DROP",
         {kA},
         "D"},
        {"hashlimit",
         "hashlimit-htable-size",
         "-m hashlimit --hashlimit-above 9/sec --hashlimit-mode srcip --hashlimit-htable-size 1"
         " --hashlimit-htable-max 1 --hashlimit-name x -j DROP",
         {kA, kB},
         ".D"},
        {"hashlimit",
         "hashlimit-htable-max",
         "-m hashlimit --hashlimit-above 9/sec --hashlimit-mode srcip --hashlimit-htable-size 1"
         " --hashlimit-htable-max 2 --hashlimit-name x -j DROP",
         {kA, kB, kFar, kA},
         "..D."},
        {"hashlimit",
         "hashlimit-htable-expire",
         "-m hashlimit --hashlimit-above 1/day --hashlimit-burst 1 --hashlimit-mode srcip"
         " --hashlimit-htable-expire 2000 --hashlimit-name x -j DROP",
         {kA, kA, 3s, kA},
         ".D."},
        {"hashlimit",
         "hashlimit-htable-gcinterval",
         "-m hashlimit --hashlimit-above 1/day --hashlimit-burst 1"
         " --hashlimit-htable-gcinterval 500 --hashlimit-name x",
         {},
         "="},
    };
    rows.insert(rows.end(), hashlimit.begin(), hashlimit.end());
}

void add_recent(std::vector<Row>& rows) {
    const std::vector<Row> recent = {
        {"recent", "set", "-m recent --set -j DROP", {kA}, "D"},
        {"recent", "rcheck", "-m recent --rcheck -j DROP\n-m recent --set", {kA, kA, kB}, ".D."},
        {"recent",
         "update",
         "-m recent --update --seconds 2 -j DROP\n-m recent --set",
         {kA, 1500ms, kA, 1500ms, kA, 3s, kA},
         ".DD."},
        {"recent", "remove", "-m recent --remove -j DROP\n-m recent --set", {kA, kA, kA}, ".D."},
        {"recent",
         "seconds",
         "-m recent --rcheck --seconds 2 -j DROP\n-m recent --set",
         {kA, kA, 3s, kA},
         ".D."},
        {"recent",
         "reap",
         "-m recent --rcheck --seconds 2 --reap\n-m recent --rcheck --seconds 9 -j DROP\n"
         "-m recent --set",
         {kA, 1s, kA, 3s, kA},
         ".D."},
        {"recent",
         "hitcount",
         "-m recent --rcheck --hitcount 2 -j DROP\n-m recent --set",
         {kA, kA, kA},
         "..D"},
        {"recent",
         "rttl",
         "-m recent --rcheck --rttl -j DROP\n-m recent --set",
         {kA, kA, with_ttl(9)},
         ".D."},
        {"recent",
         "name",
         "-m recent --rcheck --name x -j DROP\n-m recent --set --name y",
         {kA, kA},
         ".."},
        {"recent",
         "mask",
         "-m recent --rcheck --mask 255.255.255.0 -j DROP\n-m recent --set --mask 255.255.255.0",
         {kA, kB, kFar},
         ".D."},
        {"recent",
         "rsource",
         "-m recent --rcheck --rsource -j DROP\n-m recent --set --rsource",
         {kA, kElsewhere, kB},
         ".D."},
        {"recent",
         "rdest",
         "-m recent --rcheck --rdest -j DROP\n-m recent --set --rdest",
         {kA, kB, kElsewhere},
         ".D."},
    };
    rows.insert(rows.end(), recent.begin(), recent.end());
}

// The clock stands at a quarter past midnight of the first of January 1970, a Thursday.
void add_time(std::vector<Row>& rows) {
    const std::vector<Row> time = {
        {"time", "timestart", "-m time --timestart 01:00 -j DROP", {kA, 1h, kA}, ".D"},
        {"time", "timestop", "-m time --timestop 01:00 -j DROP", {kA, 1h, kA}, "D."},
        {"time", "datestart", "-m time --datestart 1970-01-02 -j DROP", {kA, 24h, kA}, ".D"},
        {"time", "datestop", "-m time --datestop 1970-01-02 -j DROP", {kA, 24h, kA}, "D."},
        {"time", "monthdays", "-m time --monthdays 1,3 -j DROP", {kA, 24h, kA}, "D."},
        {"time", "weekdays", "-m time --weekdays Thu -j DROP", {kA, 24h, kA}, "D."},
        {"time",
         "contiguous",
         "-m time --timestart 23:00 --timestop 01:00 --weekdays Thu --contiguous -j DROP",
         {kA, 24h, kA},
         ".D"},
        {"time", "utc", "-m time --timestart 01:00 --utc -j DROP", {kA, 1h, kA}, ".D"},
        {"time", "localtz", "-m time --timestart 01:00 --localtz -j DROP", {kA, 1h, kA}, ".D"},
        {"time", "kerneltz", "-m time --timestart 01:00 --kerneltz", {}, "="},
    };
    rows.insert(rows.end(), time.begin(), time.end());
}

}  // namespace

std::vector<Row> memory_rows() {
    std::vector<Row> rows = {
        {"limit",
         "limit",
         "-m limit --limit 1/second --limit-burst 1 -j DROP",
         {kA, kA, 1s, kA},
         "D.D"},
        {"limit",
         "limit-burst",
         "-m limit --limit 1/hour --limit-burst 3 -j DROP",
         {kA, kA, kA, kA},
         "DDD."},
        {"quota", "quota", "-m quota --quota 80 -j DROP", {kA, kA, kA}, "DD."},
        {"statistic",
         "mode",
         "-m statistic --mode nth --every 2 --packet 0 -j DROP",
         {kA, kA, kA},
         "D.D"},
        {"statistic",
         "every",
         "-m statistic --mode nth --every 3 --packet 0 -j DROP",
         {kA, kA, kA, kA},
         "D..D"},
        {"statistic",
         "packet",
         "-m statistic --mode nth --every 3 --packet 1 -j DROP",
         {kA, kA, kA, kA, kA},
         ".D..D"},
        {"statistic",
         "probability",
         "-m statistic --mode random --probability 0 -j DROP\n-s 10.0.0.3 -m statistic --mode"
         " random --probability 1 -j DROP",
         {kA, kB},
         ".D"},
    };
    add_hashlimit(rows);
    add_recent(rows);
    add_time(rows);
    return rows;
}

}  // namespace nsr::test
