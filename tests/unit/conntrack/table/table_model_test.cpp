// Random lives of connections, held against the plainest model there is: a map from a tuple in a
// zone to the record that has it.
#include <doctest/doctest.h>

#include <iterator>
#include <map>
#include <tuple>

#include "core/base/random.hpp"
#include "tests/unit/conntrack/table/table_fixture.hpp"

using namespace nsr;
using namespace nsr::conntrack;
using namespace nsr::conntrack::testing;

namespace {

using Place = std::tuple<IpAddress, IpAddress, std::uint16_t, std::uint16_t, std::uint8_t, Zone>;

Place place(const Tuple& tuple, Zone zone) {
    return {tuple.source,           tuple.destination, tuple.source_port,
            tuple.destination_port, tuple.protocol,    zone};
}

class Model {
  public:
    explicit Model(std::uint64_t seed) : random_(seed), table_(kKey, 8) {}

    void live(std::size_t steps, std::uint32_t adding) {
        for (std::size_t i = 0; i < steps; ++i) {
            const std::uint32_t what = random_.below(100);
            if (what < adding) {
                add_one();
            } else if (what < 70) {
                erase_one();
            } else if (what == 99 && random_.below(50) == 0) {
                table_.resize(1u << random_.below(14));
            } else {
                look_up(random_wanted());
            }
        }
        check_all();
    }
    void resize(std::uint32_t buckets) { table_.resize(buckets); }
    [[nodiscard]] std::size_t size() const { return records_.size(); }

  private:
    Zone zone_of(const Wanted& wanted, Direction direction) const {
        const bool counts =
            direction == Direction::Original ? wanted.zone_original : wanted.zone_reply;
        return counts ? wanted.zone : Zone{0};
    }

    IpAddress random_address(bool v6) {
        const std::uint32_t host = random_.below(12);
        return v6 ? IpAddress::v6(0x20010db8, host & 1, 0, host) : inside(host & 0xff);
    }

    // From a world so small that tuples collide, are their own reverse and meet across zones.
    Wanted random_wanted() {
        const bool v6 = random_.below(3) == 0;
        const auto port = [this] { return static_cast<std::uint16_t>(random_.below(60)); };
        Wanted wanted;
        if (!v6 && random_.below(4) == 0) {
            wanted.original = echo(random_address(false), random_address(false), port());
        } else {
            const std::uint8_t protocol = random_.below(2) == 0 ? proto::kUdp : proto::kTcp;
            wanted.original =
                between(protocol, {random_address(v6), port()}, {random_address(v6), port()});
        }
        wanted.reply = reversed(wanted.original);
        if (random_.below(3) == 0) {
            wanted.reply.destination = random_address(v6);
        }
        if (random_.below(5) == 0) {
            wanted.reply.source = random_address(v6);
        }
        if (random_.below(3) == 0) {
            wanted.zone = static_cast<Zone>(random_.below(3));
            wanted.zone_original = random_.below(3) != 0;
            wanted.zone_reply = random_.below(3) != 0;
        }
        return wanted;
    }

    void add_one() {
        const Wanted wanted = random_wanted();
        const Place original = place(wanted.original, zone_of(wanted, Direction::Original));
        const Place reply = place(wanted.reply, zone_of(wanted, Direction::Reply));
        const bool is_free = may_take(wanted, original, Direction::Original) &&
                             may_take(wanted, reply, Direction::Reply);
        const ConnId id = add(table_, wanted);
        REQUIRE((id != ConnId::None) == is_free);
        if (is_free) {
            places_[{reply, Direction::Reply}] = id;
            places_[{original, Direction::Original}] = id;
            records_[id] = wanted;
            born_[id] = ++births_;
        }
    }

    // A zone for one direction keeps apart what has the same tuple in the other.
    bool may_take(const Wanted& wanted, const Place& at, Direction direction) const {
        const bool one_sided = wanted.zone != 0 && !(wanted.zone_original && wanted.zone_reply);
        return !places_.contains({at, direction}) &&
               (one_sided || !places_.contains({at, opposite(direction)}));
    }

    void erase_one() {
        if (records_.empty()) {
            return;
        }
        auto chosen =
            records_.lower_bound(ConnId{random_.below(raw(std::prev(records_.end())->first) + 1)});
        const Wanted& wanted = chosen->second;
        places_.erase(
            {place(wanted.original, zone_of(wanted, Direction::Original)), Direction::Original});
        places_.erase({place(wanted.reply, zone_of(wanted, Direction::Reply)), Direction::Reply});
        table_.erase(chosen->first);
        records_.erase(chosen);
    }

    void look_up(const Wanted& wanted) {
        look_up(wanted.original, zone_of(wanted, Direction::Original));
        look_up(wanted.reply, zone_of(wanted, Direction::Reply));
    }
    void look_up(const Tuple& tuple, Zone zone) {
        const Place at = place(tuple, zone);
        const bool known =
            places_.contains({at, Direction::Original}) || places_.contains({at, Direction::Reply});
        table_.prefetch({{{table_.hash_of(tuple, zone), true}}});
        const std::optional<Hit> hit = table_.find(tuple, zone, 0);
        REQUIRE(hit.has_value() == known);
        REQUIRE(table_.taken(tuple, zone, ConnId::None, 0) == hit.has_value());
        if (hit) {
            const auto other = places_.find({at, opposite(hit->direction)});
            REQUIRE((other == places_.end() || born_[other->second] <= born_[hit->id]));
            const auto owner = places_.find({at, hit->direction});
            REQUIRE(owner != places_.end());
            REQUIRE(hit->id == owner->second);
            REQUIRE(table_.tuple(hit->id, hit->direction) == tuple);
        }
    }

    void check_all() {
        REQUIRE(table_.size() == records_.size());
        std::optional<ConnId> at;
        for (const auto& [id, wanted] : records_) {
            at = table_.next(at);
            REQUIRE(at == id);
            look_up(wanted);
        }
        REQUIRE_FALSE(table_.next(at));
    }

    RandomSource random_;
    Table table_;
    std::map<std::pair<Place, Direction>, ConnId> places_;
    std::map<ConnId, Wanted> records_;
    std::map<ConnId, std::uint64_t> born_;
    std::uint64_t births_ = 0;
};

}  // namespace

TEST_CASE("table: agrees with a map through growth, churn, resizing and decline") {
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        CAPTURE(seed);
        Model model(seed);
        model.live(8000, 60);
        model.resize(4096);
        model.live(2000, 35);
        model.resize(1);
        model.live(8000, 60);
        model.live(16000, 10);
        CHECK(model.size() < 1000);
    }
}
