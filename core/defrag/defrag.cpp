#include "core/defrag/defrag.hpp"

#include <algorithm>
#include <array>
#include <unordered_map>
#include <utility>

#include "core/defrag/queue.hpp"
#include "core/packet/dissect.hpp"
#include "core/wire/icmp.hpp"
#include "core/wire/ipv6.hpp"
#include "core/wire/protocol.hpp"
#include "core/wire/tcp.hpp"
#include "core/wire/udp.hpp"

namespace nsr::defrag {

namespace {

struct SourceHash {
    SipKey key;
    std::size_t operator()(std::uint32_t source) const {
        const std::uint64_t word = source;
        return siphash13(key, &word, 1);
    }
};

// What is kept per family.
struct Accounts {
    Stats stats;
    std::size_t bytes = 0;
};

// kernel: struct fqdir
struct Limits {
    Duration time{};
    std::uint64_t high_thresh = 0;
};

bool stays_fragment(const Packet& packet);

}  // namespace

struct Defrag::Impl {
    using Queues = std::unordered_map<Key, Queue, KeyHash>;
    using Peers = std::unordered_map<std::uint32_t, Peer, SourceHash>;

    Impl(const Settings& from, SipKey key)
        : settings(from), queues(0, KeyHash{key}), peers(0, SourceHash{key}) {}

    Verdict collect(Packet& packet, Reassembler who, Instant now);
    Queues::iterator find_or_make(const Packet& packet, Reassembler who, Instant now);
    Verdict add_ipv4(Queues::iterator queue, Packet& packet, Instant now);
    Verdict add_ipv6(Queues::iterator queue, Packet& packet);
    bool too_far(Queue& queue);
    void begin_again(Queues::iterator queue, Instant now);
    Verdict insert(Queues::iterator queue, Packet& packet, const Fragment& fragment);
    void remember(Queue& queue, const Packet& packet, const Fragment& fragment);
    Verdict assemble(Queues::iterator queue, Packet& packet);
    Verdict discard(Queues::iterator queue, DropReason reason);
    void erase(Queues::iterator queue);
    void charge(Queue& queue, Family family);
    [[nodiscard]] Limits limits(Family family, Reassembler who) const;

    Accounts& accounts(Family family) { return families[index_of(family)]; }

    Settings settings;
    Queues queues;
    Peers peers;
    Deadlines deadlines;
    std::array<Accounts, 2> families;
};

Defrag::Defrag(const Settings& settings, SipKey key)
    : impl_(std::make_unique<Impl>(settings, key)) {
}

Defrag::~Defrag() = default;

Verdict Defrag::collect(Packet& packet, Reassembler who, Instant now) {
    return impl_->collect(packet, who, now);
}

// kernel: ip_expire, nf_ct_frag6_expire
std::optional<Defrag::TimedOut> Defrag::expire_one(Instant now) {
    if (impl_->deadlines.empty() || impl_->deadlines.begin()->first > now) {
        return std::nullopt;
    }
    const auto found = impl_->queues.find(*impl_->deadlines.begin()->second);
    const Queue& queue = found->second;
    const Family family = found->first.source.family;
    TimedOut lost{queue.first_seen ? first_fragment(queue) : Packet(), queue.runs.fragments(),
                  family};
    Stats& stats = impl_->accounts(family).stats;
    ++stats.timeouts;
    ++stats.failed;
    impl_->erase(found);
    return lost;
}

std::optional<Instant> Defrag::next_deadline() const {
    return impl_->deadlines.empty() ? std::nullopt : std::optional(impl_->deadlines.begin()->first);
}

Settings& Defrag::settings() {
    return impl_->settings;
}

const Settings& Defrag::settings() const {
    return impl_->settings;
}

const Stats& Defrag::stats(Family family) const {
    return impl_->accounts(family).stats;
}

Stats& Defrag::stats(Family family) {
    return impl_->accounts(family).stats;
}

std::size_t Defrag::bytes_in_use(Family family) const {
    return impl_->accounts(family).bytes;
}

std::array<std::uint32_t, 2> Defrag::forget(IfIndex interface) {
    std::array<std::uint32_t, 2> lost{};
    for (auto at = impl_->queues.begin(); at != impl_->queues.end();) {
        const auto queue = at++;
        if (queue->second.in == interface || queue->first.in == interface) {
            const Family family = queue->first.source.family;
            lost[index_of(family)] += queue->second.runs.fragments();
            ++impl_->accounts(family).stats.failed;
            impl_->erase(queue);
        }
    }
    return lost;
}

void Defrag::clear() {
    while (!impl_->queues.empty()) {
        impl_->erase(impl_->queues.begin());
    }
}

// kernel: ip_defrag, nf_ct_frag6_gather
Verdict Defrag::Impl::collect(Packet& packet, Reassembler who, Instant now) {
    const bool has_payload = packet.layout.total_length != wire::ipv6::kHeaderBytes;
    if (packet.layout.fragment_header_cut && has_payload) {
        return Verdict::drop(DropReason::FragmentMalformed);
    }
    if (!packet.layout.is_fragment || stays_fragment(packet)) {
        return Verdict::accept();
    }
    const Family family = packet.layout.family;
    ++accounts(family).stats.requests;
    const auto queue = find_or_make(packet, who, now);
    if (queue == queues.end()) {
        ++accounts(family).stats.failed;
        return Verdict::drop(DropReason::FragmentMemory);
    }
    return family == Family::Ipv4 ? add_ipv4(queue, packet, now) : add_ipv6(queue, packet);
}

// Over the threshold nothing is added, not even to a datagram that only lacks this one. kernel:
// inet_frag_find, inet_frag_create
Defrag::Impl::Queues::iterator Defrag::Impl::find_or_make(const Packet& packet, Reassembler who,
                                                          Instant now) {
    const Family family = packet.layout.family;
    const auto [time, high_thresh] = limits(family, who);
    if (high_thresh == 0 || accounts(family).bytes > high_thresh) {
        return queues.end();
    }
    const auto [queue, made] = queues.try_emplace(key_of(packet));
    if (made) {
        queue->second.deadline = deadlines.emplace(now + time, &queue->first);
        if (family == Family::Ipv4 && settings.ipfrag_max_dist != 0) {
            queue->second.peer = &peers[packet.layout.source.as_v4()];
            ++queue->second.peer->queues;
        }
        charge(queue->second, family);
    }
    return queue;
}

// kernel: ip_frag_queue
Verdict Defrag::Impl::add_ipv4(Queues::iterator found, Packet& packet, Instant now) {
    Queue& queue = found->second;
    if (too_far(queue)) {
        ++accounts(Family::Ipv4).stats.failed;
        begin_again(found, now);
    }
    Fragment fragment = fragment_of(packet);
    if (fragment.more) {
        const std::uint32_t odd = fragment.end % 8;
        fragment.end -= odd;
        fragment.size -= odd;
    }
    const bool beyond = fragment.end > queue.length;
    const bool short_of = fragment.end < queue.length;
    const bool contradiction =
        fragment.more ? beyond && queue.last_seen : short_of || (beyond && queue.last_seen);
    if (contradiction || fragment.end == fragment.offset) {
        return discard(found, DropReason::FragmentMalformed);
    }
    queue.length = std::max(queue.length, fragment.end);
    queue.last_seen = queue.last_seen || !fragment.more;
    return insert(found, packet, fragment);
}

// A contradiction costs only the fragment here, and what an empty one said of the length stays.
// kernel: nf_ct_frag6_queue
Verdict Defrag::Impl::add_ipv6(Queues::iterator found, Packet& packet) {
    constexpr std::uint32_t kMaxPayload = 65535;
    Queue& queue = found->second;
    const Fragment fragment = fragment_of(packet);
    if (fragment.end > kMaxPayload) {
        return Verdict::drop(DropReason::FragmentTooLarge);
    }
    const bool beyond = fragment.end > queue.length;
    const bool short_of = fragment.end < queue.length;
    if (fragment.more && fragment.end % 8 != 0) {
        erase(found);
        return Verdict::accept();
    }
    if (fragment.more ? beyond && queue.last_seen : short_of || (beyond && queue.last_seen)) {
        return Verdict::drop(DropReason::FragmentMalformed);
    }
    queue.length = std::max(queue.length, fragment.end);
    queue.last_seen = queue.last_seen || !fragment.more;
    if (fragment.end == fragment.offset) {
        return Verdict::drop(DropReason::FragmentMalformed);
    }
    return insert(found, packet, fragment);
}

// Have too many fragments of this source come since this datagram's latest? Then its identification
// may have come round again. kernel: ip_frag_too_far
bool Defrag::Impl::too_far(Queue& queue) {
    if (queue.peer == nullptr || settings.ipfrag_max_dist == 0) {
        return false;
    }
    const std::uint32_t since = queue.peer_arrived;
    queue.peer_arrived = ++queue.peer->arrived;
    return !queue.runs.empty() && queue.peer_arrived - since > settings.ipfrag_max_dist;
}

// The sizes stay. kernel: ip_frag_reinit
void Defrag::Impl::begin_again(Queues::iterator found, Instant now) {
    Queue& queue = found->second;
    deadlines.erase(queue.deadline);
    queue.deadline = deadlines.emplace(
        now + std::chrono::seconds(static_cast<std::int32_t>(settings.ipfrag_time)), &found->first);
    queue.runs.clear();
    queue.length = 0;
    queue.last_seen = false;
    queue.first_seen = false;
    queue.ecn = 0;
    charge(queue, Family::Ipv4);
}

Verdict Defrag::Impl::insert(Queues::iterator found, Packet& packet, const Fragment& fragment) {
    Queue& queue = found->second;
    const wire::ConstBytes payload = std::as_const(packet).bytes().subspan(
        fragment.header_length, fragment.end - fragment.offset);
    switch (queue.runs.insert(fragment.offset, payload)) {
        case Runs::Insertion::Duplicate:
            return Verdict::drop(DropReason::FragmentDuplicate);
        case Runs::Insertion::Overlap:
            return discard(found, DropReason::FragmentOverlap);
        case Runs::Insertion::Done:
            break;
    }
    remember(queue, packet, fragment);
    return queue.complete() ? assemble(found, packet) : Verdict::stolen();
}

void Defrag::Impl::remember(Queue& queue, const Packet& packet, const Fragment& fragment) {
    const Layout& layout = packet.layout;
    queue.in = packet.meta.in;
    queue.ecn |= static_cast<std::uint8_t>(1u << (layout.tos & 3));
    queue.max_size = std::max(queue.max_size, fragment.size);
    if (layout.dont_fragment) {
        queue.max_df_size = std::max(queue.max_df_size, fragment.size);
    }
    if (fragment.offset == 0) {
        const auto header = packet.bytes().first(fragment.header_length);
        queue.first_seen = true;
        queue.header.assign(header.begin(), header.end());
        queue.layout = layout;
        queue.mark = packet.meta.mark;
        queue.pool = &packet.pool();
    }
    charge(queue, layout.family);
}

// kernel: ip_frag_reasm, nf_ct_frag6_reasm
Verdict Defrag::Impl::assemble(Queues::iterator found, Packet& packet) {
    const Queue& queue = found->second;
    const std::optional<std::uint8_t> ecn = merged_ecn(queue.ecn);
    if (!ecn) {
        return discard(found, DropReason::FragmentEcn);
    }
    if (!datagram_size(queue).possible) {
        return discard(found, DropReason::FragmentTooLarge);
    }
    write_datagram(queue, *ecn, packet);
    ++accounts(packet.layout.family).stats.reassembled;
    const bool right_behind_ip = queue.layout.fragment_prev_next == wire::ipv6::kNextHeaderOffset;
    erase(found);
    const Verdict verdict = dissect(packet);
    // Hop-by-hop options that come to stand there were inside, where no router reads them.
    const bool unread =
        verdict.dropped() && verdict.reason() == DropReason::BadExtensionHeader && right_behind_ip;
    return unread ? Verdict::accept() : verdict;
}

Verdict Defrag::Impl::discard(Queues::iterator queue, DropReason reason) {
    ++accounts(queue->first.source.family).stats.failed;
    erase(queue);
    return Verdict::drop(reason);
}

void Defrag::Impl::erase(Queues::iterator found) {
    Queue& queue = found->second;
    accounts(found->first.source.family).bytes -= queue.accounted;
    deadlines.erase(queue.deadline);
    if (queue.peer != nullptr && --queue.peer->queues == 0) {
        peers.erase(found->first.source.as_v4());
    }
    queues.erase(found);
}

// differs: fragment-memory-accounting
void Defrag::Impl::charge(Queue& queue, Family family) {
    std::size_t& bytes = accounts(family).bytes;
    bytes -= queue.accounted;
    queue.accounted = queue.memory();
    bytes += queue.accounted;
}

// A negative time is over at once. kernel: proc_dointvec_jiffies
Limits Defrag::Impl::limits(Family family, Reassembler who) const {
    const auto seconds = [](std::uint32_t value) {
        return std::chrono::seconds(static_cast<std::int32_t>(value));
    };
    if (family == Family::Ipv4) {
        return {seconds(settings.ipfrag_time), settings.ipfrag_high_thresh};
    }
    return who == Reassembler::Host
               ? Limits{seconds(settings.ip6frag_time), settings.ip6frag_high_thresh}
               : Limits{seconds(settings.frag6_timeout), settings.frag6_high_thresh};
}

namespace {

bool first_is_truncated(const Packet& packet);

// IPv6 fragments that are nobody's business here: jumbograms, broken header chains, and first
// fragments without their whole transport header (RFC 8200 4.5). They go on as they are, and
// tracking finds them INVALID. kernel: nf_ct_frag6_gather
bool stays_fragment(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.family == Family::Ipv4) {
        return false;
    }
    return layout.total_length == wire::ipv6::kHeaderBytes || layout.fragment_header == 0 ||
           layout.fragment_header + wire::ipv6::kFragmentHeaderBytes > layout.total_length ||
           first_is_truncated(packet);
}

// kernel: ipv6frag_thdr_truncated
bool first_is_truncated(const Packet& packet) {
    const Layout& layout = packet.layout;
    if (layout.fragment_offset != 0) {
        return false;
    }
    switch (layout.protocol) {
        case proto::kTcp:
            return layout.l4_length() < wire::tcp::kHeaderBytes;
        case proto::kUdp:
            return layout.l4_length() < wire::udp::kHeaderBytes;
        case proto::kIcmpv6:
            return layout.l4_length() < wire::icmp::kHeaderBytes;
        case proto::kHopByHop:
        case proto::kRouting:
        case proto::kFragment:
        case proto::kAh:
        case proto::kNoNext:
        case proto::kDestinationOptions:
            return false;
        default:
            return layout.l4_length() < 1;
    }
}

}  // namespace

}  // namespace nsr::defrag
