#include <doctest/doctest.h>

#include <set>

#include "core/base/random.hpp"
#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

const Tuple kPlain = tcp({inside(2), 40000}, {outside(7), 80});
const Tuple kMapped = udp({inside(3), 5000}, {outside(7), 53});
const Tuple kMappedReply = udp({outside(7), 53}, {IpAddress::v4(192, 0, 2, 1), 61000});
const Tuple kSix =
    udp({IpAddress::v6(0x20010db8, 0, 0, 1), 1}, {IpAddress::v6(0x20010db8, 1, 0, 2), 2});

// A router that ran for a while; what it left is in `file`.
struct Before {
    std::shared_ptr<File> file = std::make_shared<File>();
    std::unique_ptr<Table> table =
        std::make_unique<Table>(kKey, 64, std::make_unique<FileMemory>(file));
    ConnId plain = add(*table, kPlain, 1000);
    ConnId mapped = add(*table, {kMapped, kMappedReply, 2000, 9, false, true});
    ConnId six = add(*table, kSix, 3000);
    Help* help = table->need_help(mapped);  // says nothing
};

// Another process, with another hash key, on what is in the file now.
std::unique_ptr<Table> after(const std::shared_ptr<File>& file) {
    return std::make_unique<Table>(SipKey{1, 2}, 64, std::make_unique<FileMemory>(file->copy()));
}

}  // namespace

TEST_CASE("recover: the connections of a killed router go on") {
    Before before;
    (*before.table)[before.plain].mark = 42;
    before.table->need_extra(before.plain)->counters[1].bytes = 1234;
    const auto table = after(before.file);
    CHECK(table->recover(0) == 3);
    CHECK(table->size() == 3);
    CHECK(table->find(kPlain, 0, 0)->id == before.plain);
    CHECK((*table)[before.plain].mark == 42);
    CHECK(table->extra(before.plain)->counters[1].bytes == 1234);
    CHECK(table->find(kMapped, 0, 0)->id == before.mapped);
    CHECK(table->find(kMappedReply, 9, 0)->direction == Direction::Reply);
    CHECK(table->find(reversed(kSix), 0, 0)->direction == Direction::Reply);
    CHECK(table->tuple(before.six, Direction::Original) == kSix);

    std::vector<ConnId> due;
    table->collect_expired(2000, 10, due);
    CHECK(due == std::vector{before.plain, before.mapped});
    const ConnId fresh = add(*table, udp({inside(9), 9}, {outside(9), 9}));
    CHECK(fresh != before.plain);
    CHECK(fresh != before.mapped);
    CHECK(fresh != before.six);
    const ConnId fresh_six = add(*table, udp({kSix.source, 7}, {kSix.destination, 7}));
    CHECK((*table)[fresh_six].v6 != (*table)[before.six].v6);
}

TEST_CASE(
    "recover: who helps a connection and how its numbers moved lasts; what it expects does not") {
    Before before;
    Help& help = *before.table->need_help(before.plain);
    help.helper = HelperId::Ftp;
    help.adjusts[1].change(1000, 7);
    help.data.ftp.known[0] = 1;
    help.data.ftp.after_newline[0][0] = 4711;
    help.newest = 3;
    help.expecting[0] = 1;
    before.help->of_master = HelperId::SipUdp;
    const auto table = after(before.file);
    CHECK(table->recover(0) == 3);
    const Help& kept = *table->help(before.plain);
    CHECK(kept.helper == HelperId::Ftp);
    CHECK(kept.adjusts[1].offset_at(1001) == 7);
    CHECK(kept.data.ftp.after_newline[0][0] == 4711);
    CHECK(kept.newest == kNoExpectation);
    CHECK(kept.expecting[0] == 0);
    CHECK(table->help(before.mapped)->of_master == HelperId::SipUdp);
    CHECK(table->help(before.six) == nullptr);
}

TEST_CASE("recover: a helper that cannot be is refused") {
    const auto survivors = [](auto&& damage) {
        Before before;
        before.table->need_help(before.plain)->helper = HelperId::Ftp;
        before.help->helper = HelperId::Tftp;
        damage(*before.table->help(before.plain), *before.help);
        return after(before.file)->recover(0);
    };
    CHECK(survivors([](Help&, Help&) {}) == 3);
    CHECK(survivors([](Help& tcp, Help&) { tcp.helper = HelperId{200}; }) == 2);
    CHECK(survivors([](Help& tcp, Help&) { tcp.of_master = HelperId{200}; }) == 2);
    CHECK(survivors([](Help& tcp, Help&) { tcp.helper = HelperId::Tftp; }) == 2);
    CHECK(survivors([](Help& tcp, Help&) { tcp.data.ftp.known[1] = 3; }) == 2);
    CHECK(survivors([](Help&, Help& udp) { udp.helper = HelperId::SipTcp; }) == 2);
    CHECK(survivors([](Help&, Help& udp) { udp.adjusts[0].change(1, 1); }) == 2);
}

TEST_CASE("recover: erased, unconfirmed and expired records stay gone, their places are reused") {
    Before before;
    before.table->erase(before.plain);
    prepare(*before.table, {reversed(kPlain), kPlain});
    const auto table = after(before.file);
    CHECK(table->recover(2500) == 1);
    CHECK(table->find(kSix, 0, 2500));
    CHECK_FALSE(table->find(kPlain, 0, 0));
    CHECK_FALSE(table->find(kMapped, 0, 0));
    std::set<ConnId> reused;
    for (std::uint16_t i = 0; i < 10; ++i) {
        reused.insert(add(*table, udp({inside(9), i}, {outside(9), 9}), 9000, 2500));
    }
    CHECK(reused.size() == 10);
    CHECK_FALSE(reused.contains(before.six));
    CHECK(raw(*reused.rbegin()) == 10);
}

TEST_CASE("recover: a clock with another base moves the deadlines along") {
    Before before;
    const auto table = after(before.file);
    CHECK(table->recover(1000000500, 1000000000) == 3);
    CHECK((*table)[before.plain].deadline == 1000001000);
    CHECK(table->find(kPlain, 0, 1000000999));
    CHECK_FALSE(table->find(kPlain, 0, 1000001000));
}

TEST_CASE("recover: a record is refused when any of what identifies it is torn") {
    const auto survivors = [](auto&& damage) {
        Before before;
        damage(before);
        return after(before.file)->recover(0);
    };
    const auto plain = [](Before& before) -> Connection& { return (*before.table)[before.plain]; };
    CHECK(survivors([&](Before& b) { plain(b).status |= status::kAssured; }) == 3);
    CHECK(survivors([&](Before& b) { plain(b).commit ^= 1; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).original.source ^= 1; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).reply.destination_port ^= 0x100; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).family = Family::Ipv6; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).family = Family::None; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).protocol = proto::kUdp; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).zone = 1; }) == 2);
    CHECK(survivors([&](Before& b) { plain(b).state.tcp.state = 200; }) == 2);
    CHECK(survivors([&](Before& b) { b.table->extra(b.mapped)->zone_original = true; }) == 2);
}

TEST_CASE("recover: a timeout policy does not outlive its process") {
    Before before;
    before.table->need_extra(before.plain)->timeout_policy = 1023;
    const auto table = after(before.file);
    CHECK(table->recover(0) == 3);
    CHECK(+table->extra(before.plain)->timeout_policy == 0);
}

TEST_CASE("recover: absurd or shared side records are refused") {
    const auto survivors = [](auto&& damage) {
        Before before;
        damage(before);
        return after(before.file)->recover(0);
    };
    for (const std::uint32_t absurd : {0x7fffffffu, 0xffffffffu, 0x80000u, 40000u}) {
        CAPTURE(absurd);
        CHECK(survivors([&](Before& b) { (*b.table)[b.plain].extra = absurd; }) == 2);
        CHECK(survivors([&](Before& b) { (*b.table)[b.six].v6 = absurd; }) == 2);
    }
    CHECK(survivors([&](Before& b) { (*b.table)[b.six].v6 = kNoSide; }) == 2);
    CHECK(survivors([&](Before& b) { b.table->extra(b.mapped)->help = 40000; }) == 2);
    CHECK(survivors([&](Before& b) { (*b.table)[b.plain].extra = (*b.table)[b.mapped].extra; }) ==
          2);
}

TEST_CASE("recover: a record in another place, or a second one with its tuple, is refused") {
    Before before;
    const ConnId other = add(*before.table, udp({inside(8), 8}, {outside(8), 8}));
    (*before.table)[other] = (*before.table)[before.plain];
    const auto table = after(before.file);
    CHECK(table->recover(0) == 3);
    CHECK(table->find(kPlain, 0, 0)->id == before.plain);

    // One tuple twice, both sealed properly: two confirmed at different times, the first expired
    // by then and given more time afterwards.
    Before twice;
    (*twice.table)[twice.plain].deadline = 10;
    const ConnId later = add(*twice.table, kPlain, 1000, 20);
    REQUIRE(later != ConnId::None);
    (*twice.table)[twice.plain].deadline = 1000;
    CHECK(after(twice.file)->recover(0) == 3);
}

TEST_CASE("recover: garbage neither crashes nor lives") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        Before before;
        const auto file = before.file->copy();
        RandomSource random(seed);
        for (auto& arena : file->arenas) {
            for (auto& block : arena) {
                std::byte* bytes = File::aligned(block.get());
                for (std::size_t i = 0; i < File::kBytes; i += 8) {
                    const std::uint64_t noise = random.next64();
                    std::memcpy(bytes + i, &noise, 8);
                }
            }
        }
        Table table(kKey, 64, std::make_unique<FileMemory>(file));
        CHECK(table.recover(0) == 0);
        CHECK(add(table, kPlain) != ConnId::None);
        CHECK(add(table, kSix) != ConnId::None);
        CHECK(table.size() == 2);
    }
}

TEST_CASE("recover: single flipped bytes anywhere never crash what runs on") {
    Before before;
    const auto file = before.file->copy();
    for (std::size_t offset = 0; offset < 3 * sizeof(Connection); ++offset) {
        for (const unsigned flip : {0x01u, 0x80u, 0xffu}) {
            for (std::size_t arena = 0; arena < file->arenas.size(); ++arena) {
                std::memcpy(File::aligned(file->arenas[arena][0].get()),
                            File::aligned(before.file->arenas[arena][0].get()), 4096);
            }
            File::aligned(file->arenas[0][0].get())[offset] ^= static_cast<std::byte>(flip);
            Table table(kKey, 1, std::make_unique<FileMemory>(file));
            CHECK(table.recover(0) >= 2);
            std::vector<ConnId> due;
            table.collect_expired(5000, 10, due);
            for (const ConnId id : due) {
                table.erase(id);
            }
            add(table, udp({inside(9), 9}, {outside(9), 9}));
        }
    }
}
