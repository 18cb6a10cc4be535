// What a device left to be done in a packet: whether it can be done, and about which header it is.
//
// Theory of operation
//   An Offload is a promise about bytes: "the checksum at checksum_start + checksum_offset holds
//   the sum of its pseudo header; the sum over everything from checksum_start to the end is to be
//   added". dissect() asks offload_fits() once the packet has the length that its IP header says;
//   from then on the field lies within the packet, behind the outermost IP header, in a packet that
//   is no fragment. Whoever makes new packets of it (segment, fragment, reassembly) gives them
//   finished checksums and no offload.
//
//   The partial checksum may be that of
//     - the outermost transport header (outer): the packet of a plain socket. Addresses count in
//       the field, whatever else changes will be summed up later;
//     - a header further in (inner): Linux hands such packets to a device with
//       tx-checksum-ip-generic for VXLAN, GENEVE, GRE, IPIP, SIT ... All sums outside of it,
//       that of an outer UDP header too, are already those of the finished packet (kernel:
//       lco_csum), so an inner checksum is carried on as it is while nothing changes that it
//       covers, and is finished by rewrite:: before anything does.
//   A super-packet's checksum is always an outer one: TUN offers no segmentation of tunnels.
// kernel: skb_partial_csum_set, virtio_net_hdr_to_skb, pskb_trim_rcsum_slow
#pragma once

#include "core/packet/packet.hpp"

namespace nsr {

// Everything offload promises can be kept. Precondition: layout is read, bytes() trimmed.
bool offload_fits(const Packet& packet);

// Of a partial checksum. Neither, if there is none.
bool has_outer_partial_checksum(const Packet& packet);
bool has_inner_partial_checksum(const Packet& packet);

}  // namespace nsr
