// TUN devices.
//
// Theory of operation
//   A device is opened with IFF_TUN | IFF_NO_PI | IFF_VNET_HDR in the namespace of the calling
//   thread: every frame is one IP packet behind the 10 bytes of virtio_net_hdr. Offload is asked
//   for from the most to the least a kernel may know: TSO and USO (since 6.2), TSO alone, nothing;
//   without any, every packet is a wire packet with a complete checksum. USO4 and USO6 go together
//   and only with CSUM: the kernel refuses the whole set otherwise. A device that was there before
//   is attached to and outlives the descriptors; one that was not vanishes with the last of them.
//   A device of several queues (IFF_MULTI_QUEUE) is opened once for each. The kernel numbers them
//   in the order in which they are opened, and picks the queue of a packet by its own hash, or by a
//   program (steering.hpp). If one is closed, the last one takes its number: all are to be kept, or
//   none. Whether there may be several is settled when the device is made, and the kernel refuses
//   who wants it otherwise (EINVAL). It keeps a second program away from a device of one queue
//   (EBUSY), but gives it a queue among the others of a device of several; here that is EBUSY, too.
//   Carrier, offload, the size of the virtio_net_hdr and the program are the device's, through
//   whichever queue they are set. kernel: tun_set_iff, tun_attach, __tun_detach
#pragma once

#include <string>
#include <vector>

#include "netlink/descriptor.hpp"

namespace nsr::netlink {

struct Tun {
    Descriptor descriptor;                // non-blocking; queue 0
    std::vector<Descriptor> more_queues;  // likewise: queue 1 and so on
    std::string name;
    bool tso = false;  // takes and gives TCP super-packets and partial checksums
    bool uso = false;  // ... and UDP super-packets
};

// Call inside the namespace. Throws SystemError. Precondition: queues > 0.
Tun open_tun(const std::string& name, bool offload, unsigned queues = 1);
// Whether the device claims to have a carrier; it does from the start. Throws SystemError.
void set_carrier(const Tun& tun, bool carrier);

}  // namespace nsr::netlink
