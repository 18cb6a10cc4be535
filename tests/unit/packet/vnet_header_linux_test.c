/* What the kernel's own header says about struct virtio_net_hdr; it is C and not C++. */
#include <linux/virtio_net.h>
#include <stddef.h>

unsigned linux_vnet_size(void);
unsigned linux_vnet_offset(unsigned field);
unsigned linux_vnet_constant(unsigned which);

unsigned linux_vnet_size(void) {
    return sizeof(struct virtio_net_hdr);
}

unsigned linux_vnet_offset(unsigned field) {
    const size_t offsets[] = {
        offsetof(struct virtio_net_hdr, flags),      offsetof(struct virtio_net_hdr, gso_type),
        offsetof(struct virtio_net_hdr, hdr_len),    offsetof(struct virtio_net_hdr, gso_size),
        offsetof(struct virtio_net_hdr, csum_start), offsetof(struct virtio_net_hdr, csum_offset),
    };
    return (unsigned)offsets[field];
}

unsigned linux_vnet_constant(unsigned which) {
    const unsigned constants[] = {
        VIRTIO_NET_HDR_F_NEEDS_CSUM, VIRTIO_NET_HDR_F_DATA_VALID, VIRTIO_NET_HDR_GSO_NONE,
        VIRTIO_NET_HDR_GSO_TCPV4,    VIRTIO_NET_HDR_GSO_TCPV6,    VIRTIO_NET_HDR_GSO_ECN,
#ifdef VIRTIO_NET_HDR_GSO_UDP_L4
        VIRTIO_NET_HDR_GSO_UDP_L4,
#else
        5,
#endif
    };
    return constants[which];
}
