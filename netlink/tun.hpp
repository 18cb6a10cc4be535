// TUN devices.
//
// Theory of operation
//   A device is opened with IFF_TUN | IFF_NO_PI | IFF_VNET_HDR in the namespace of the calling
//   thread: every frame is one IP packet behind the 10 bytes of virtio_net_hdr. Offload is asked
//   for from the most to the least a kernel may know: TSO and USO (since 6.2), TSO alone, nothing;
//   without any, every packet is a wire packet with a complete checksum. USO4 and USO6 go together
//   and only with CSUM: the kernel refuses the whole set otherwise. A device that was there before
//   is attached to and outlives the descriptor; one that was not vanishes with it.
#pragma once

#include <string>

#include "netlink/descriptor.hpp"

namespace nsr::netlink {

struct Tun {
    Descriptor descriptor;  // non-blocking
    std::string name;
    bool tso = false;  // takes and gives TCP super-packets and partial checksums
    bool uso = false;  // ... and UDP super-packets
};

// Call inside the namespace. Throws SystemError.
Tun open_tun(const std::string& name, bool offload);
// Whether the device claims to have a carrier; it does from the start. Throws SystemError.
void set_carrier(const Tun& tun, bool carrier);

}  // namespace nsr::netlink
