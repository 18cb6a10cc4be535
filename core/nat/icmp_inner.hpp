// ICMP errors about translated connections: the error itself and the packet it quotes.
//
// An error travels against the packet it quotes, so where the error's destination changes, the
// quoted source does, and both become the same address. The quoted checksums are mended as far as
// they are quoted; the error's own checksum is computed anew.
// kernel: nf_nat_icmp_reply_translation, nf_nat_icmpv6_reply_translation
#pragma once

#include "core/nat/translate.hpp"

namespace nsr::nat {

bool is_icmp_error(const Packet& packet);
// Is it a redirect? They speak of this link's neighbours: useless behind a translation.
bool is_redirect(const Packet& packet);
bool has_good_checksum(const Packet& packet);
// Brings the header of the quoted packet into the first piece, before anybody knows whether it must
// change. Precondition: is_icmp_error(packet).
void gather_quoted_header(Packet& packet);
// False: what is quoted is too short. Precondition: is_icmp_error(packet).
[[nodiscard]] bool translate_error(Packet& packet, Manip manip, const Endpoint& endpoint);

}  // namespace nsr::nat
