// Protocol and service names that rules may use. A core that reads no files carries its own list.
#include <array>
#include <utility>

#include "core/rules/words/text.hpp"

namespace nsr::rules {

namespace {

using Name = std::pair<std::uint16_t, std::string_view>;

// The first name of a number is the one iptables-save prints.
constexpr std::array kProtocols = std::to_array<Name>({
    {1, "icmp"},       {2, "igmp"},       {3, "ggp"},         {4, "ipencap"},
    {5, "st"},         {6, "tcp"},        {8, "egp"},         {9, "igp"},
    {12, "pup"},       {17, "udp"},       {20, "hmp"},        {22, "xns-idp"},
    {27, "rdp"},       {29, "iso-tp4"},   {33, "dccp"},       {36, "xtp"},
    {37, "ddp"},       {38, "idpr-cmtp"}, {41, "ipv6"},       {43, "ipv6-route"},
    {44, "ipv6-frag"}, {45, "idrp"},      {46, "rsvp"},       {47, "gre"},
    {50, "esp"},       {51, "ah"},        {57, "skip"},       {58, "ipv6-icmp"},
    {58, "icmpv6"},    {58, "icmp6"},     {59, "ipv6-nonxt"}, {60, "ipv6-opts"},
    {73, "rspf"},      {81, "vmtp"},      {88, "eigrp"},      {89, "ospf"},
    {93, "ax.25"},     {94, "ipip"},      {97, "etherip"},    {98, "encap"},
    {103, "pim"},      {108, "ipcomp"},   {112, "vrrp"},      {115, "l2tp"},
    {124, "isis"},     {132, "sctp"},     {133, "fc"},        {135, "mobility-header"},
    {135, "ipv6-mh"},  {135, "mh"},       {136, "udplite"},   {137, "mpls-in-ip"},
    {138, "manet"},    {139, "hip"},      {140, "shim6"},     {141, "wesp"},
    {142, "rohc"},     {143, "ethernet"}, {0, "all"},
});

constexpr std::array kServices = std::to_array<Name>({
    {7, "echo"},           {9, "discard"},        {13, "daytime"},        {20, "ftp-data"},
    {21, "ftp"},           {22, "ssh"},           {23, "telnet"},         {25, "smtp"},
    {37, "time"},          {43, "whois"},         {49, "tacacs"},         {53, "domain"},
    {67, "bootps"},        {68, "bootpc"},        {69, "tftp"},           {79, "finger"},
    {80, "http"},          {80, "www"},           {88, "kerberos"},       {110, "pop3"},
    {111, "sunrpc"},       {113, "auth"},         {119, "nntp"},          {123, "ntp"},
    {137, "netbios-ns"},   {138, "netbios-dgm"},  {139, "netbios-ssn"},   {143, "imap2"},
    {143, "imap"},         {161, "snmp"},         {162, "snmp-trap"},     {162, "snmptrap"},
    {177, "xdmcp"},        {179, "bgp"},          {389, "ldap"},          {443, "https"},
    {445, "microsoft-ds"}, {465, "submissions"},  {500, "isakmp"},        {514, "syslog"},
    {515, "printer"},      {520, "route"},        {546, "dhcpv6-client"}, {547, "dhcpv6-server"},
    {554, "rtsp"},         {587, "submission"},   {631, "ipp"},           {636, "ldaps"},
    {853, "domain-s"},     {873, "rsync"},        {989, "ftps-data"},     {990, "ftps"},
    {993, "imaps"},        {995, "pop3s"},        {1080, "socks"},        {1194, "openvpn"},
    {1433, "ms-sql-s"},    {1723, "pptp"},        {1812, "radius"},       {1813, "radius-acct"},
    {2049, "nfs"},         {3128, "squid"},       {3306, "mysql"},        {3389, "ms-wbt-server"},
    {3478, "stun"},        {4500, "ipsec-nat-t"}, {5060, "sip"},          {5061, "sip-tls"},
    {5222, "xmpp-client"}, {5353, "mdns"},        {5432, "postgresql"},   {6379, "redis"},
    {6667, "ircd"},        {8080, "http-alt"},    {10000, "webmin"},      {10080, "amanda"},
});

}  // namespace

std::optional<std::uint16_t> parse_port(std::string_view text) {
    if (const auto number = parse_number(text, 0xffff)) {
        return static_cast<std::uint16_t>(*number);
    }
    for (const auto& [number, name] : kServices) {
        if (name == text) {
            return number;
        }
    }
    return std::nullopt;
}

std::optional<std::uint8_t> parse_protocol(std::string_view text) {
    if (const auto number = parse_number(text, 255)) {
        return static_cast<std::uint8_t>(*number);
    }
    const std::string name = lower(text);
    for (const auto& [number, known] : kProtocols) {
        if (known == name) {
            return static_cast<std::uint8_t>(number);
        }
    }
    return std::nullopt;
}

std::string protocol_text(std::uint8_t protocol) {
    for (const auto& [number, name] : kProtocols) {
        if (number == protocol && protocol != 0) {
            return std::string(name);
        }
    }
    return std::to_string(protocol);
}

}  // namespace nsr::rules
