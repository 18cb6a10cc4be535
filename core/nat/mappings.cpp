#include "core/nat/mappings.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace nsr::nat {

namespace {

constexpr std::uint32_t kPorts = 65536;
// Addresses and spans that are counted through at a time; one more, and all begin anew.
constexpr std::size_t kMostSequences = 4096;

using Words = std::array<std::uint64_t, 5>;

std::uint64_t high(const IpAddress& address) {
    return std::uint64_t{address.words[0]} << 32 | address.words[1];
}
std::uint64_t low(const IpAddress& address) {
    return std::uint64_t{address.words[2]} << 32 | address.words[3];
}

bool means(const MappingQuery& query, const Mapping& mapping) {
    const bool behind = query.behind == IfIndex::None ||
                        (mapping.range.masquerade && mapping.range.interface == query.behind);
    return behind && (!query.rule || *query.rule == mapping.rule) &&
           (!query.outside || *query.outside == mapping.outside.address);
}

}  // namespace

Inside inside_of(const Source& source, const conntrack::Tuple& tuple, Dependence dependence) {
    Inside inside{source, IpAddress{{}, source.address.family}, 0};
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
      last_ports_(0, hash_) {
}

std::size_t Mappings::Hash::operator()(const Inside& inside) const {
    const Source& source = inside.source;
    const Words words = {high(source.address), low(source.address), high(inside.to_address),
                         low(inside.to_address),
                         std::uint64_t{source.port} << 48 | std::uint64_t{inside.to_port} << 32 |
                             std::uint64_t{source.zone} << 8 | source.protocol};
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

std::size_t Mappings::Hash::operator()(const IpAddress& address) const {
    const std::array<std::uint64_t, 2> words = {high(address), low(address)};
    return siphash13(key, words.data(), words.size());
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
    return id;
}

void Mappings::join(MappingId mapping, ConnId id, const Part& part) {
    Mapping& body = bodies_.at(mapping);
    ++body.sessions;
    body.holders += part.holds ? 1 : 0;
    ++contacts_[{mapping, part.remote}];
    ++hosts_[body.inside.source.address].sessions;
    sessions_.emplace(raw(id), Session{mapping, part});
}

void Mappings::hold(ConnId id) {
    const auto [first, last] = sessions_.equal_range(raw(id));
    for (auto session = first; session != last; ++session) {
        Mapping& body = bodies_.at(session->second.mapping);
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
    const auto body = bodies_.find(session.mapping);
    const auto contact = contacts_.find({session.mapping, session.part.remote});
    const IpAddress host = body->second.inside.source.address;
    if (--contact->second == 0) {
        contacts_.erase(contact);
    }
    if (--hosts_.at(host).sessions == 0) {
        drop_host(host);
    }
    if (session.part.holds && --body->second.holders == 0) {
        remove_from_indexes(body->first, body->second);
    }
    if (--body->second.sessions == 0) {
        bodies_.erase(body);
    }
    std::erase_if(forgotten_, [this](const Forgotten& note) {
        return bodies_.empty() || bodies_.begin()->first > note.last;
    });
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

void Mappings::drop_host(const IpAddress& host) {
    const auto found = hosts_.find(host);
    if (const auto& block = found->second.block) {
        blocks_.erase({block->outside, block->first});
    }
    hosts_.erase(found);
}

MappingId Mappings::mapping_of(ConnId id) const {
    const auto session = sessions_.find(raw(id));
    return session == sessions_.end() ? kNoMapping : session->second.mapping;
}

bool Mappings::begun_inside(ConnId id) const {
    return sessions_.find(raw(id))->second.part.begun_inside;
}

void Mappings::forget(const MappingQuery& query) {
    std::erase_if(forgotten_, [&](const Forgotten& note) { return note.query == query; });
    if (!bodies_.empty()) {
        forgotten_.push_back({last_, query});
    }
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
               return id <= note.last && means(note.query, found->second);
           });
}

bool Mappings::knows(MappingId mapping, const IpAddress& remote) const {
    return contacts_.contains({mapping, remote});
}

std::uint32_t Mappings::sessions_of(const IpAddress& host) const {
    const auto found = hosts_.find(host);
    return found == hosts_.end() ? 0 : found->second.sessions;
}

std::optional<std::uint16_t> Mappings::block_of(const IpAddress& host, const IpAddress& outside,
                                                std::uint16_t size) {
    if (const auto known = hosts_.find(host);
        known != hosts_.end() && known->second.block && known->second.block->outside == outside) {
        return known->second.block->first;
    }
    for (std::uint32_t first = kFirstPort; first + size <= kPorts; first += size) {
        const auto port = static_cast<std::uint16_t>(first);
        if (blocks_.try_emplace({outside, port}, true).second) {
            if (const auto old = std::exchange(hosts_[host].block, Block{outside, port})) {
                blocks_.erase({old->outside, old->first});
            }
            return port;
        }
    }
    return std::nullopt;
}

void Mappings::drop_unused_block(const IpAddress& host) {
    if (const auto found = hosts_.find(host);
        found != hosts_.end() && found->second.sessions == 0) {
        drop_host(host);
    }
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
