#include "core/nat/mappings.hpp"

#include <algorithm>
#include <array>

#include "core/base/check.hpp"
#include "core/wire/address_words.hpp"

namespace nsr::nat {

namespace {

// Addresses and spans that are counted through at a time; one more, and all begin anew.
constexpr std::size_t kMostSequences = 4096;

using Words = std::array<std::uint64_t, 6>;

bool means(const MappingQuery& query, const Mapping& mapping) {
    const bool behind = query.behind == IfIndex::None ||
                        (mapping.range.masquerade && mapping.range.interface == query.behind);
    return behind && (!query.rule || *query.rule == mapping.rule) &&
           (!query.outside || *query.outside == mapping.outside.address);
}

BlockKey block_key(const Host& host, const IpAddress& outside, const Range& range) {
    return {host, outside, ports_of(range), range.behaviour.block_ports};
}

}  // namespace

Inside inside_of(const Source& source, IfIndex out, const conntrack::Tuple& tuple,
                 Dependence dependence) {
    Inside inside{source, out, IpAddress{{}, source.address.family}, 0};
    if (dependence != Dependence::Endpoint) {
        inside.to_address = tuple.destination;
    }
    if (dependence == Dependence::AddressAndPort) {
        inside.to_port = tuple.destination_port;
    }
    return inside;
}

Mappings::Mappings(SipKey key)
    : hash_{key},
      by_inside_(0, hash_),
      by_outside_(0, hash_),
      contacts_(0, hash_),
      hosts_(0, hash_),
      blocks_(key),
      last_ports_(0, hash_) {
}

std::size_t Mappings::Hash::operator()(const Inside& inside) const {
    const Source& source = inside.source;
    const Words words = {high(source.address),
                         low(source.address),
                         high(inside.to_address),
                         low(inside.to_address),
                         std::uint64_t{source.port} << 48 | std::uint64_t{inside.to_port} << 32 |
                             std::uint64_t{source.zone} << 8 | source.protocol,
                         raw(inside.out)};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const Outside& outside) const {
    const std::array<std::uint64_t, 3> words = {
        high(outside.address), low(outside.address),
        std::uint64_t{outside.port} << 8 | outside.protocol};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const Contact& contact) const {
    const std::array<std::uint64_t, 3> words = {high(contact.remote), low(contact.remote),
                                                contact.mapping};
    return siphash13(key, words.data(), words.size());
}

std::size_t Mappings::Hash::operator()(const Host& host) const {
    const std::array<std::uint64_t, 3> words = {high(host.address), low(host.address), host.zone};
    return siphash13(key, words.data(), words.size());
}

const Mapping& Mappings::operator[](MappingId id) const {
    const auto found = bodies_.find(id);
    NSR_CHECK(found != bodies_.end());
    return found->second;
}

Mapping& Mappings::body_of(MappingId id) {
    const auto found = bodies_.find(id);
    NSR_CHECK(found != bodies_.end());
    return found->second;
}

MappingId Mappings::find(const Inside& inside) const {
    const auto found = by_inside_.find(inside);
    return found == by_inside_.end() || forgotten(found->second) ? kNoMapping : found->second;
}

MappingId Mappings::find(const Outside& outside) const {
    const auto found = by_outside_.find(outside);
    return found == by_outside_.end() || forgotten(found->second) ? kNoMapping : found->second;
}

MappingId Mappings::add(const Mapping& mapping) {
    const MappingId id = ++last_;
    bodies_.emplace(id, mapping);
    by_inside_.insert_or_assign(mapping.inside, id);
    by_outside_.insert_or_assign(mapping.outside, id);
    ++outs_[mapping.inside.out];
    if (mapping.range.behaviour.ports == PortChoice::Blocks) {
        blocks_.join(
            block_key(host_of(mapping.inside.source), mapping.outside.address, mapping.range));
    }
    return id;
}

void Mappings::join(MappingId mapping, ConnId id, const Part& part) {
    Mapping& body = body_of(mapping);
    ++body.sessions;
    body.holders += part.holds ? 1 : 0;
    ++contacts_[{mapping, part.remote}];
    Sessions& of_host = hosts_[host_of(body.inside.source)];
    ++(part.begun_inside ? of_host.begun_inside : of_host.begun_outside);
    sessions_.emplace(raw(id), Session{mapping, part});
}

void Mappings::hold(ConnId id) {
    const auto [first, last] = sessions_.equal_range(raw(id));
    for (auto session = first; session != last; ++session) {
        Mapping& body = body_of(session->second.mapping);
        if (!session->second.part.holds && body.holders != 0) {
            session->second.part.holds = true;
            ++body.holders;
        }
    }
}

void Mappings::leave(ConnId id) {
    const auto [first, last] = sessions_.equal_range(raw(id));
    for (auto session = first; session != last; ++session) {
        leave(session->second);
    }
    sessions_.erase(first, last);
}

void Mappings::leave(const Session& session) {
    Mapping& body = body_of(session.mapping);
    const auto contact = contacts_.find({session.mapping, session.part.remote});
    const auto host = hosts_.find(host_of(body.inside.source));
    NSR_CHECK(contact != contacts_.end() && host != hosts_.end());
    if (--contact->second == 0) {
        contacts_.erase(contact);
    }
    Sessions& of_host = host->second;
    --(session.part.begun_inside ? of_host.begun_inside : of_host.begun_outside);
    if (of_host.begun_inside + of_host.begun_outside == 0) {
        hosts_.erase(host);
    }
    if (session.part.holds && --body.holders == 0) {
        remove_from_indexes(session.mapping, body);
    }
    if (--body.sessions == 0) {
        remove(session.mapping, body);
    }
    std::erase_if(forgotten_, [](const Forgotten& note) { return note.until.expired(); });
}

void Mappings::remove(MappingId id, const Mapping& body) {
    if (body.range.behaviour.ports == PortChoice::Blocks) {
        blocks_.leave(block_key(host_of(body.inside.source), body.outside.address, body.range));
    }
    const auto out = outs_.find(body.inside.out);
    if (--out->second == 0) {
        outs_.erase(out);
    }
    bodies_.erase(id);
}

// A younger one may have taken its places, once it was forgotten.
void Mappings::remove_from_indexes(MappingId id, const Mapping& body) {
    if (const auto inside = by_inside_.find(body.inside);
        inside != by_inside_.end() && inside->second == id) {
        by_inside_.erase(inside);
    }
    if (const auto outside = by_outside_.find(body.outside);
        outside != by_outside_.end() && outside->second == id) {
        by_outside_.erase(outside);
    }
}

MappingId Mappings::mapping_of(ConnId id) const {
    const auto session = sessions_.find(raw(id));
    return session == sessions_.end() ? kNoMapping : session->second.mapping;
}

bool Mappings::begun_inside(ConnId id) const {
    const auto session = sessions_.find(raw(id));
    NSR_CHECK(session != sessions_.end());
    return session->second.part.begun_inside;
}

std::shared_ptr<const void> Mappings::forget(const MappingQuery& query) {
    const auto until = std::make_shared<const MappingQuery>(query);
    std::erase_if(forgotten_, [&](const Forgotten& note) { return note.query == query; });
    if (!bodies_.empty()) {
        forgotten_.push_back({last_, query, until});
    }
    return until;
}

bool Mappings::forgotten(ConnId id) const {
    const auto [first, last] = sessions_.equal_range(raw(id));
    return std::any_of(first, last,
                       [this](const auto& session) { return forgotten(session.second.mapping); });
}

bool Mappings::forgotten(MappingId id) const {
    const auto found = forgotten_.empty() ? bodies_.end() : bodies_.find(id);
    return found != bodies_.end() &&
           std::any_of(forgotten_.begin(), forgotten_.end(), [&](const Forgotten& note) {
               return id <= note.last && !note.until.expired() && means(note.query, found->second);
           });
}

bool Mappings::knows(MappingId mapping, const IpAddress& remote) const {
    return contacts_.contains({mapping, remote});
}

Mappings::Sessions Mappings::sessions_of(const Host& host) const {
    const auto found = hosts_.find(host);
    return found == hosts_.end() ? Sessions{} : found->second;
}

std::optional<PortSpan> Mappings::block_of(const Host& host, const IpAddress& outside,
                                           const Range& range) {
    return blocks_.block_of(block_key(host, outside, range));
}

void Mappings::drop_unused_block(const Host& host, const IpAddress& outside, const Range& range) {
    blocks_.drop_unused(block_key(host, outside, range));
}

std::uint16_t Mappings::next_port(const Outside& outside, const PortSpan& span) {
    const auto first = static_cast<std::uint16_t>(span.min);
    if (last_ports_.size() >= kMostSequences) {
        last_ports_.clear();
    }
    const auto [last, is_new] = last_ports_.try_emplace({outside.address, first, outside.protocol});
    const bool goes_on = !is_new && last->second + 1u < span.min + span.size;
    last->second = goes_on ? static_cast<std::uint16_t>(last->second + 1) : first;
    return last->second;
}

}  // namespace nsr::nat
