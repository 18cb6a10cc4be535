// What one thread puts into a mailbox another one takes out of it: all of it, in order, as it was.
#include "router/shards/mailbox.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <iterator>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace nsr::router {
namespace {

// What a packet takes of the ring besides its bytes and the sizes of its pieces: the first test of
// a full one says whether it is so.
constexpr std::size_t kBeside = 36;

constexpr std::size_t mail_of(std::size_t bytes, std::size_t pieces = 0) {
    return (kBeside + bytes + pieces * sizeof(std::uint16_t) + 7) / 8 * 8;
}

// A packet of that size takes so much that others like it fill the ring to the last byte.
constexpr std::size_t kEvenMail = 64;
constexpr std::size_t kEvenBytes = kEvenMail - kBeside;
static_assert(Mailbox::kBytes % kEvenMail == 0 && mail_of(kEvenBytes) == kEvenMail);

// --- what is put --------------------------------------------------------------------------------

struct Letter {
    std::uint32_t number = 0;
    std::size_t bytes = 0;
    std::size_t pieces = 0;
};

// Of a noise that is the same each time; no two packets of less than 65521 have the same part of
// it.
std::span<const std::uint8_t> bytes_in(const Letter& letter) {
    constexpr std::size_t kParts = 65521;
    static const std::vector<std::uint8_t> kNoise = [] {
        std::minstd_rand random;
        std::vector<std::uint8_t> noise(kMaxPacketBytes + kParts);
        std::generate(noise.begin(), noise.end(),
                      [&] { return static_cast<std::uint8_t>(random() >> 8); });
        return noise;
    }();
    return std::span(kNoise).subspan(letter.number % kParts, letter.bytes);
}

std::vector<std::uint16_t> pieces_of(const Letter& letter) {
    std::vector<std::uint16_t> pieces;
    while (pieces.size() < letter.pieces) {
        pieces.push_back(static_cast<std::uint16_t>(letter.number + pieces.size()));
    }
    return pieces;
}

Packet packet_of(const Letter& letter, BufferPool& pool) {
    Packet packet(pool, bytes_in(letter));
    packet.meta.in = IfIndex{static_cast<std::uint16_t>(letter.number)};
    if (letter.pieces != 0) {
        packet.fragments = std::make_unique<FragmentGeometry>();
        packet.fragments->payload_bytes = pieces_of(letter);
    }
    return packet;
}

bool same_bytes(std::span<const std::uint8_t> one, std::span<const std::uint8_t> other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end());
}

bool is(const Packet& packet, const Letter& letter) {
    const std::vector<std::uint16_t> pieces =
        packet.fragments ? packet.fragments->payload_bytes : std::vector<std::uint16_t>();
    return same_bytes(packet.bytes(), bytes_in(letter)) && pieces == pieces_of(letter) &&
           packet.meta.in == IfIndex{static_cast<std::uint16_t>(letter.number)};
}

// --- the two at its ends ------------------------------------------------------------------------

class Putter {
  public:
    explicit Putter(Mailbox& box) : box_(box) {}
    bool put(const Letter& letter) { return box_.put(packet_of(letter, pool_)); }

  private:
    Mailbox& box_;
    BufferPool pool_;
};

class Taker {
  public:
    explicit Taker(Mailbox& box) : box_(box) {}
    bool take() { return box_.take(pool_, packet); }
    [[nodiscard]] BufferPool& pool() { return pool_; }

  private:
    Mailbox& box_;
    BufferPool pool_;

  public:
    Packet packet;
};

// Both in one thread, who remember what is on its way.
class Post {
  public:
    bool put(std::size_t bytes, std::size_t pieces = 0) {
        const Letter letter{next_, bytes, pieces};
        if (!putter_.put(letter)) {
            return false;
        }
        on_its_way_.push_back(letter);
        REQUIRE(on_its_way_.size() <= Mailbox::kBytes / mail_of(0));
        ++next_;
        return true;
    }

    // The oldest, which has to be as it was put.
    void take() {
        REQUIRE_FALSE(on_its_way_.empty());
        REQUIRE_FALSE(box_.empty());
        const Letter& letter = on_its_way_.front();
        REQUIRE(taker_.take());
        REQUIRE(is(taker_.packet, letter));
        on_its_way_.pop_front();
        CHECK(box_.empty() == on_its_way_.empty());
    }
    void take_all() {
        while (!on_its_way_.empty()) {
            take();
        }
        CHECK_FALSE(taker_.take());
    }
    [[nodiscard]] const std::deque<Letter>& on_its_way() const { return on_its_way_; }

  private:
    Mailbox box_;
    Putter putter_{box_};
    Taker taker_{box_};
    std::deque<Letter> on_its_way_;
    std::uint32_t next_ = 0;
};

// What they take of the ring, but for what is left before its end.
std::size_t room_of(const std::deque<Letter>& letters) {
    std::size_t bytes = 0;
    for (const Letter& letter : letters) {
        bytes += mail_of(letter.bytes, letter.pieces);
    }
    return bytes;
}

// A mailbox with a packet in it; the same packet, and what became of it.
struct Posted {
    explicit Posted(Packet packet) : put(std::move(packet)) {
        REQUIRE(box.put(put));
        REQUIRE(taker.take());
    }
    [[nodiscard]] const Packet& taken() const { return taker.packet; }

    Mailbox box;
    Packet put;
    Taker taker{box};
};

}  // namespace

// --- one packet ---------------------------------------------------------------------------------

TEST_CASE("mailbox: a packet comes out byte for byte, in a buffer of whoever takes it") {
    BufferPool pool;
    const Letter letter{0x1234, 1500};
    for (const bool counted : {false, true}) {
        Packet packet = packet_of(letter, pool);
        packet.meta.counted = counted;
        Posted posted(std::move(packet));
        const Packet& taken = posted.taken();
        CHECK(same_bytes(taken.bytes(), bytes_in(letter)));
        CHECK(taken.meta.in == IfIndex{0x1234});
        CHECK(bool{taken.meta.counted} == counted);
        CHECK(&taken.pool() == &posted.taker.pool());
        CHECK(taken.headroom() == kHeadroomBytes);
        CHECK(taken.fragments == nullptr);
        CHECK(is(posted.put, letter));  // still
        CHECK(posted.box.empty());
    }
}

TEST_CASE("mailbox: nothing else that a shard knows of a packet goes with it") {
    BufferPool pool;
    Packet packet = packet_of({1, 100}, pool);
    packet.meta.mark = 7;
    packet.meta.conn = ConnId{8};
    packet.meta.ct_seen = true;
    packet.meta.zone = 9;
    packet.layout.family = Family::Ipv4;
    const Posted posted(std::move(packet));
    CHECK(posted.taken().meta.mark == 0);
    CHECK(posted.taken().meta.conn == ConnId::None);
    CHECK_FALSE(posted.taken().meta.ct_seen);
    CHECK(posted.taken().meta.zone == 0);
    CHECK(posted.taken().layout.family == Family::None);
}

TEST_CASE("mailbox: what a device left to be done goes with it") {
    BufferPool pool;
    for (const Offload& offload : {Offload{}, Offload{.checksum = ChecksumState::Verified},
                                   Offload{.checksum = ChecksumState::Partial,
                                   .checksum_start = 0x1234,
                                   .checksum_offset = 0x5678},
                                   Offload{.checksum = ChecksumState::Partial,
                                   .gso = Gso::Tcp6,
                                   .ecn = true,
                                   .checksum_start = 40,
                                   .checksum_offset = 16,
                                   .gso_size = 0xfedc,
                                   .header_length = 0xba98},
                                   Offload{.gso = Gso::Udp, .gso_size = 1}}) {
        Packet packet = packet_of({1, 100}, pool);
        packet.offload = offload;
        const Posted posted(std::move(packet));
        const Offload& taken = posted.taken().offload;
        CHECK(taken.checksum == offload.checksum);
        CHECK(taken.gso == offload.gso);
        CHECK(taken.ecn == offload.ecn);
        CHECK(taken.checksum_start == offload.checksum_start);
        CHECK(taken.checksum_offset == offload.checksum_offset);
        CHECK(taken.gso_size == offload.gso_size);
        CHECK(taken.header_length == offload.header_length);
    }
}

TEST_CASE("mailbox: so do the sizes of the pieces of a datagram that was put together") {
    BufferPool pool;
    for (const FragmentGeometry& geometry :
         {FragmentGeometry{.payload_bytes = {1480, 1480, 40}, .max_size = 1500},
          FragmentGeometry{.payload_bytes = {0xffff}, .max_size = 0xffff, .dont_fragment = true},
          FragmentGeometry{.payload_bytes = std::vector<std::uint16_t>(8192, 8), .max_size = 28},
          FragmentGeometry{.max_size = 576, .dont_fragment = true},  // gathered
          FragmentGeometry{}}) {
        Packet packet = packet_of({1, 3001}, pool);
        packet.fragments = std::make_unique<FragmentGeometry>(geometry);
        const Posted posted(std::move(packet));
        REQUIRE(posted.taken().fragments != nullptr);
        const FragmentGeometry& taken = *posted.taken().fragments;
        CHECK(taken.payload_bytes == geometry.payload_bytes);
        CHECK(taken.max_size == geometry.max_size);
        CHECK(taken.dont_fragment == geometry.dont_fragment);
        CHECK(same_bytes(posted.taken().bytes(), posted.put.bytes()));
    }
}

TEST_CASE("mailbox: a packet has nothing of the one that was taken into the same place before") {
    BufferPool pool;
    Mailbox box;
    Taker taker(box);
    Packet first = packet_of({1, 3000, 3}, pool);
    first.meta.counted = true;
    first.offload.checksum = ChecksumState::Verified;
    REQUIRE(box.put(first));
    REQUIRE(box.put(packet_of({2, 50}, pool)));
    REQUIRE(taker.take());
    taker.packet.pull(20);  // as the way of a packet may leave it
    taker.packet.meta.mark = 7;
    REQUIRE(taker.take());
    CHECK(is(taker.packet, {2, 50}));
    CHECK(taker.packet.fragments == nullptr);
    CHECK(taker.packet.headroom() == kHeadroomBytes);
    CHECK(taker.packet.offload.checksum == ChecksumState::Complete);
    CHECK_FALSE(bool{taker.packet.meta.counted});
    CHECK(taker.packet.meta.mark == 0);
    CHECK(taker.pool().idle() == 1);  // the first one's buffer is back
}

TEST_CASE("mailbox: packets of every kind of size, from no bytes to the largest there are") {
    Post post;
    for (const std::size_t bytes : {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 40, 1499, 1500, 9000, 65534,
                                    65535, 65536, static_cast<int>(kMaxPacketBytes)}) {
        for (const std::size_t pieces : {0, 1, 2, 3, 4}) {
            REQUIRE(post.put(bytes, pieces));
            post.take_all();
        }
    }
}

TEST_CASE("mailbox: of an empty one nothing is taken, and what is in that place stays there") {
    BufferPool pool;
    const Letter letter{7, 300, 2};
    Posted posted(packet_of(letter, pool));
    REQUIRE(is(posted.taken(), letter));
    for (int i = 0; i < 3; ++i) {
        CHECK(posted.box.empty());
        CHECK_FALSE(posted.taker.take());
        CHECK(is(posted.taken(), letter));
    }
    REQUIRE(posted.box.put(packet_of({8, 20}, pool)));
    CHECK_FALSE(posted.box.empty());
    REQUIRE(posted.taker.take());
    CHECK(is(posted.taken(), {8, 20}));
}

// --- many ---------------------------------------------------------------------------------------

TEST_CASE("mailbox: packets come out in the order in which they were put") {
    Post post;
    for (int round = 0; round < 30; ++round) {
        for (std::size_t i = 0; i < 20; ++i) {
            REQUIRE(post.put(i * 10));
            REQUIRE(post.put(i));
            REQUIRE(post.put(i));  // as large
            REQUIRE(post.put(20000 - i, i % 3));
        }
        post.take_all();
    }
}

// Each mail of a round is of the same size, but for the first of it, which is 8 bytes longer in
// every round: so wherever the next one would begin, if it were not for the end of the ring, it
// will.
TEST_CASE("mailbox: mails that do not fit before the end of the ring, however little is missing") {
    constexpr std::size_t kOnItsWay = 3;
    const auto go_round = [](Post& post, std::size_t bytes_of_mail, const auto& put) {
        for (std::size_t step = 0; step <= bytes_of_mail; step += 8) {
            REQUIRE(post.put(step));
            for (std::size_t bytes = 0; bytes < Mailbox::kBytes; bytes += bytes_of_mail) {
                REQUIRE(put());
                if (post.on_its_way().size() > kOnItsWay) {
                    post.take();
                }
            }
        }
        post.take_all();
    };
    SUBCASE("packets") {
        Post post;
        go_round(post, mail_of(1000), [&] { return post.put(1000); });
    }
    SUBCASE("packets with pieces") {
        Post post;
        go_round(post, mail_of(1000, 3), [&] { return post.put(1000, 3); });
    }
    SUBCASE("packets that would fill it evenly") {
        Post post;
        go_round(post, kEvenMail, [&] { return post.put(kEvenBytes); });
    }
    SUBCASE("the largest packets, now and then") {
        Post post;
        std::minstd_rand random;
        for (int i = 0; i < 3000; ++i) {
            REQUIRE(post.put(kMaxPacketBytes - random() % 100));
            if (random() % 2 != 0) {
                REQUIRE(post.put(random() % 100));
            }
            while (post.on_its_way().size() > 4) {
                post.take();
            }
        }
        post.take_all();
    }
}

// --- full ---------------------------------------------------------------------------------------

TEST_CASE("mailbox: one that is full to the last byte is not an empty one, and has room again") {
    for (const std::size_t bytes : {kEvenBytes, kEvenBytes - 7}) {
        Post post;
        while (post.put(bytes)) {
        }
        CHECK(post.on_its_way().size() == Mailbox::kBytes / kEvenMail);
        CHECK_FALSE(post.put(0));
        for (std::size_t i = 0; i < Mailbox::kBytes / kEvenMail * 3 / 2; ++i) {
            post.take();
            REQUIRE_FALSE(post.put(kEvenBytes + 1));
            REQUIRE(post.put(bytes));
            REQUIRE_FALSE(post.put(bytes));
        }
        post.take_all();
        REQUIRE(post.put(1000));
        post.take_all();
    }
}

// What is left before the end of the ring has to be free, too, if it is too little for a mail.
TEST_CASE("mailbox: one that is as full as can be, wherever in the ring it begins") {
    for (std::size_t begin = 0; begin <= kEvenMail; begin += 8) {
        Post post;
        REQUIRE(post.put(begin));
        post.take();
        while (post.put(kEvenBytes)) {
        }
        for (std::size_t i = 0; i < Mailbox::kBytes / kEvenMail * 3 / 2; ++i) {
            post.take();
            while (post.put(kEvenBytes)) {
            }
            REQUIRE((post.on_its_way().size() + 2) * kEvenMail >= Mailbox::kBytes);
        }
        post.take_all();
    }
}

TEST_CASE("mailbox: it is filled as far as packets of a size can, and so again when it is empty") {
    for (const std::size_t bytes : {0, 100, 1000, 65000}) {
        for (const std::size_t before : {0, 1, 700}) {  // where in the ring it begins
            CAPTURE(bytes);
            CAPTURE(before);
            Post post;
            for (std::size_t i = 0; i < before; ++i) {
                REQUIRE(post.put(1492));
                post.take();
            }
            while (post.put(bytes)) {
            }
            const std::size_t packets = post.on_its_way().size();
            CHECK(room_of(post.on_its_way()) <= Mailbox::kBytes);
            // But for what is left before the end of the ring.
            CHECK((packets + 2) * mail_of(bytes) > Mailbox::kBytes);
            post.take_all();
            std::size_t again = 0;
            while (post.put(bytes)) {
                ++again;
            }
            CHECK(again + 1 >= packets);
            post.take_all();
        }
    }
}

// What is left before the end of the ring is less than a mail, and free with the one before it.
TEST_CASE("mailbox: full all the time, two taken make room for one, and nothing is lost") {
    for (const std::size_t bytes : {333, 4000, 65000}) {
        Post post;
        for (std::size_t i = 0; i < 3 * Mailbox::kBytes / bytes; ++i) {
            while (post.put(bytes)) {
            }
            post.take();
            post.take();
            REQUIRE(post.put(bytes));
        }
        post.take_all();
    }
}

TEST_CASE("mailbox: it takes whatever there is room for, and no more") {
    constexpr std::size_t kMostPieces = 2;
    Post post;
    std::minstd_rand random;
    std::size_t refused = 0;
    bool fills = true;
    for (int i = 0; i < 100'000; ++i) {
        fills = random() % 1000 == 0 ? !fills : fills;
        const bool takes = random() % 8 >= (fills ? 6 : 2);
        if (takes) {
            if (!post.on_its_way().empty()) {
                post.take();
            }
            continue;
        }
        const std::size_t bytes =
            random() % 64 == 0 ? kMaxPacketBytes - random() % 2000 : random() % 2000;
        const std::size_t pieces = random() % (kMostPieces + 1);
        const std::size_t with_it = room_of(post.on_its_way()) + mail_of(bytes, pieces);
        if (post.put(bytes, pieces)) {
            REQUIRE(with_it <= Mailbox::kBytes);
        } else {
            ++refused;
            // There may be a gap before the end of the ring, for which the largest was too large.
            REQUIRE(with_it + mail_of(kMaxPacketBytes, kMostPieces) > Mailbox::kBytes);
        }
    }
    CHECK(refused > 100);
    post.take_all();
}

// --- two threads --------------------------------------------------------------------------------

namespace {

// Both know what comes.
Letter letter_of(std::uint32_t number) {
    std::uint32_t drawn = (number + 1) * 0x9e3779b1;
    drawn = (drawn ^ drawn >> 15) * 0x85ebca6b;
    drawn ^= drawn >> 13;
    const std::size_t bytes = drawn / 8 % 256 == 0 ? kMaxPacketBytes - drawn % 4096 : drawn % 2000;
    return {number, bytes, drawn / 16 % 16 == 0 ? number % 5 : 0};
}

}  // namespace

TEST_CASE("mailbox: one thread puts 200,000 mails, another one takes them") {
    constexpr std::uint32_t kMails = 200'000;
    constexpr std::uint32_t kPauseAt = 1000;  // until the mailbox is full
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    const auto in_time = [deadline] { return std::chrono::steady_clock::now() < deadline; };
    Mailbox box;
    std::atomic<bool> stopped = false;
    std::atomic<std::uint32_t> refused = 0;
    std::thread other([&] {
        Putter putter(box);
        for (std::uint32_t number = 0; number < kMails && !stopped; ++number) {
            while (!putter.put(letter_of(number)) && !stopped) {
                ++refused;
                std::this_thread::yield();
            }
        }
    });
    Taker taker(box);
    std::uint32_t number = 0;
    bool as_put = true;
    while (number < kMails && as_put && in_time()) {
        if (number == kPauseAt) {
            while (refused == 0 && in_time()) {
                std::this_thread::yield();
            }
        }
        if (!taker.take()) {
            std::this_thread::yield();
            continue;
        }
        as_put = is(taker.packet, letter_of(number));
        number += as_put ? 1 : 0;
    }
    stopped = true;
    other.join();
    CHECK(as_put);
    CHECK(number == kMails);
    CHECK(refused > 0);
    CHECK(box.empty());
}

}  // namespace nsr::router
