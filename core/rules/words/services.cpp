// Names of services and their ports, as /etc/services of Debian has them (netbase 6.4). A core that
// reads no files carries its own list.
#include "core/rules/words/service_names.hpp"
#include "core/rules/words/text.hpp"
#include "core/wire/protocol.hpp"

namespace nsr::rules {

namespace {

struct Service {
    std::uint16_t port;
    std::uint8_t protocols;
    std::string_view name;
};
constexpr std::uint8_t kTcp = 1;
constexpr std::uint8_t kUdp = 2;
constexpr std::uint8_t kSctp = 4;
constexpr std::uint8_t kDdp = 8;
constexpr std::uint8_t kBoth = kTcp | kUdp;
constexpr std::uint8_t kAnyProtocol = 0xff;

// The first row of a name counts where the protocol does not.
// clang-format off
constexpr Service kServices[] = {
    {1, kTcp, "tcpmux"}, {1, kDdp, "rtmp"}, {2, kDdp, "nbp"}, {6, kDdp, "zip"}, {7, kBoth, "echo"}, {9, kBoth, "discard"}, {9, kBoth, "sink"},
    {9, kBoth, "null"}, {11, kTcp, "systat"}, {11, kTcp, "users"}, {13, kBoth, "daytime"},
    {15, kTcp, "netstat"}, {17, kTcp, "qotd"}, {17, kTcp, "quote"}, {19, kBoth, "chargen"},
    {19, kBoth, "ttytst"}, {19, kBoth, "source"}, {20, kTcp, "ftp-data"}, {21, kTcp, "ftp"},
    {21, kUdp, "fsp"}, {21, kUdp, "fspd"}, {22, kTcp, "ssh"}, {23, kTcp, "telnet"},
    {25, kTcp, "smtp"}, {25, kTcp, "mail"}, {37, kBoth, "time"}, {37, kBoth, "timserver"},
    {43, kTcp, "whois"}, {43, kTcp, "nicname"}, {49, kBoth, "tacacs"}, {53, kBoth, "domain"},
    {67, kUdp, "bootps"}, {68, kUdp, "bootpc"}, {69, kUdp, "tftp"}, {70, kTcp, "gopher"},
    {79, kTcp, "finger"}, {80, kTcp, "http"}, {80, kTcp, "www"}, {88, kBoth, "kerberos"},
    {88, kBoth, "kerberos5"}, {88, kBoth, "krb5"}, {88, kBoth, "kerberos-sec"},
    {102, kTcp, "iso-tsap"}, {102, kTcp, "tsap"}, {104, kTcp, "acr-nema"}, {104, kTcp, "dicom"},
    {110, kTcp, "pop3"}, {110, kTcp, "pop-3"}, {111, kBoth, "sunrpc"}, {111, kBoth, "portmapper"},
    {113, kTcp, "auth"}, {113, kTcp, "authentication"}, {113, kTcp, "tap"}, {113, kTcp, "ident"},
    {119, kTcp, "nntp"}, {119, kTcp, "readnews"}, {119, kTcp, "untp"}, {123, kUdp, "ntp"},
    {135, kTcp, "epmap"}, {135, kTcp, "loc-srv"}, {137, kUdp, "netbios-ns"},
    {138, kUdp, "netbios-dgm"}, {139, kTcp, "netbios-ssn"}, {143, kTcp, "imap2"},
    {143, kTcp, "imap"}, {161, kBoth, "snmp"}, {162, kBoth, "snmp-trap"}, {162, kBoth, "snmptrap"},
    {163, kBoth, "cmip-man"}, {164, kBoth, "cmip-agent"}, {174, kTcp, "mailq"},
    {177, kUdp, "xdmcp"}, {179, kTcp, "bgp"}, {199, kTcp, "smux"}, {209, kTcp, "qmtp"},
    {210, kTcp, "z3950"}, {210, kTcp, "wais"}, {213, kUdp, "ipx"}, {319, kUdp, "ptp-event"},
    {320, kUdp, "ptp-general"}, {345, kTcp, "pawserv"}, {346, kTcp, "zserv"},
    {369, kBoth, "rpc2portmap"}, {370, kBoth, "codaauth2"}, {371, kUdp, "clearcase"},
    {371, kUdp, "Clearcase"}, {389, kBoth, "ldap"}, {427, kBoth, "svrloc"}, {443, kBoth, "https"},
    {444, kTcp, "snpp"}, {445, kTcp, "microsoft-ds"}, {464, kBoth, "kpasswd"},
    {465, kTcp, "submissions"}, {465, kTcp, "ssmtp"}, {465, kTcp, "smtps"}, {465, kTcp, "urd"},
    {487, kTcp, "saft"}, {500, kUdp, "isakmp"}, {554, kBoth, "rtsp"}, {607, kTcp, "nqs"},
    {623, kUdp, "asf-rmcp"}, {628, kTcp, "qmqp"}, {631, kTcp, "ipp"}, {646, kBoth, "ldp"},
    {512, kTcp, "exec"}, {512, kUdp, "biff"}, {512, kUdp, "comsat"}, {513, kTcp, "login"},
    {513, kUdp, "who"}, {513, kUdp, "whod"}, {514, kTcp, "shell"}, {514, kTcp, "cmd"},
    {514, kBoth, "syslog"}, {515, kTcp, "printer"}, {515, kTcp, "spooler"}, {517, kUdp, "talk"},
    {518, kUdp, "ntalk"}, {520, kUdp, "route"}, {520, kUdp, "router"}, {520, kUdp, "routed"},
    {538, kBoth, "gdomap"}, {540, kTcp, "uucp"}, {540, kTcp, "uucpd"}, {543, kTcp, "klogin"},
    {544, kTcp, "kshell"}, {544, kTcp, "krcmd"}, {546, kUdp, "dhcpv6-client"},
    {547, kUdp, "dhcpv6-server"}, {548, kTcp, "afpovertcp"}, {563, kTcp, "nntps"},
    {563, kTcp, "snntp"}, {587, kTcp, "submission"}, {636, kBoth, "ldaps"}, {655, kBoth, "tinc"},
    {706, kTcp, "silc"}, {749, kTcp, "kerberos-adm"}, {853, kBoth, "domain-s"},
    {873, kTcp, "rsync"}, {989, kTcp, "ftps-data"}, {990, kTcp, "ftps"}, {992, kTcp, "telnets"},
    {993, kTcp, "imaps"}, {995, kTcp, "pop3s"}, {1080, kTcp, "socks"}, {1093, kTcp, "proofd"},
    {1094, kTcp, "rootd"}, {1194, kBoth, "openvpn"}, {1099, kTcp, "rmiregistry"},
    {1352, kTcp, "lotusnote"}, {1352, kTcp, "lotusnotes"}, {1433, kTcp, "ms-sql-s"},
    {1434, kUdp, "ms-sql-m"}, {1524, kTcp, "ingreslock"}, {1645, kBoth, "datametrics"},
    {1645, kBoth, "old-radius"}, {1646, kBoth, "sa-msg-port"}, {1646, kBoth, "old-radacct"},
    {1649, kTcp, "kermit"}, {1677, kTcp, "groupwise"}, {1701, kUdp, "l2f"}, {1701, kUdp, "l2tp"},
    {1812, kBoth, "radius"}, {1813, kBoth, "radius-acct"}, {1813, kBoth, "radacct"},
    {2000, kTcp, "cisco-sccp"}, {2049, kBoth, "nfs"}, {2086, kBoth, "gnunet"},
    {2101, kBoth, "rtcm-sc104"}, {2119, kTcp, "gsigatekeeper"}, {2135, kTcp, "gris"},
    {2401, kTcp, "cvspserver"}, {2430, kBoth, "venus"}, {2431, kBoth, "venus-se"},
    {2432, kBoth, "codasrv"}, {2433, kBoth, "codasrv-se"}, {2583, kBoth, "mon"},
    {2628, kTcp, "dict"}, {2792, kTcp, "f5-globalsite"}, {2811, kTcp, "gsiftp"},
    {2947, kTcp, "gpsd"}, {3050, kTcp, "gds-db"}, {3050, kTcp, "gds_db"}, {3130, kUdp, "icpv2"},
    {3130, kUdp, "icp"}, {3205, kBoth, "isns"}, {3260, kTcp, "iscsi-target"}, {3306, kTcp, "mysql"},
    {3389, kTcp, "ms-wbt-server"}, {3493, kBoth, "nut"}, {3632, kTcp, "distcc"},
    {3689, kTcp, "daap"}, {3690, kTcp, "svn"}, {3690, kTcp, "subversion"}, {4031, kTcp, "suucp"},
    {4094, kTcp, "sysrqd"}, {4190, kTcp, "sieve"}, {4369, kTcp, "epmd"}, {4373, kTcp, "remctl"},
    {4353, kTcp, "f5-iquery"}, {4460, kTcp, "ntske"}, {4500, kUdp, "ipsec-nat-t"},
    {4569, kUdp, "iax"}, {4691, kTcp, "mtn"}, {4899, kTcp, "radmin-port"}, {5060, kBoth, "sip"},
    {5061, kBoth, "sip-tls"}, {5222, kTcp, "xmpp-client"}, {5222, kTcp, "jabber-client"},
    {5269, kTcp, "xmpp-server"}, {5269, kTcp, "jabber-server"}, {5308, kTcp, "cfengine"},
    {5353, kUdp, "mdns"}, {5432, kTcp, "postgresql"}, {5432, kTcp, "postgres"},
    {5556, kTcp, "freeciv"}, {5556, kTcp, "rptp"}, {5671, kTcp, "amqps"},
    {5672, kTcp | kSctp, "amqp"}, {6000, kTcp, "x11"}, {6000, kTcp, "x11-0"}, {6001, kTcp, "x11-1"},
    {6002, kTcp, "x11-2"}, {6003, kTcp, "x11-3"}, {6004, kTcp, "x11-4"}, {6005, kTcp, "x11-5"},
    {6006, kTcp, "x11-6"}, {6007, kTcp, "x11-7"}, {6346, kBoth, "gnutella-svc"},
    {6347, kBoth, "gnutella-rtr"}, {6379, kTcp, "redis"}, {6444, kTcp, "sge-qmaster"},
    {6444, kTcp, "sge_qmaster"}, {6445, kTcp, "sge-execd"}, {6445, kTcp, "sge_execd"},
    {6446, kTcp, "mysql-proxy"}, {6696, kUdp, "babel"}, {6697, kTcp, "ircs-u"}, {7000, kTcp, "bbs"},
    {7000, kUdp, "afs3-fileserver"}, {7001, kUdp, "afs3-callback"}, {7002, kUdp, "afs3-prserver"},
    {7003, kUdp, "afs3-vlserver"}, {7004, kUdp, "afs3-kaserver"}, {7005, kUdp, "afs3-volser"},
    {7007, kUdp, "afs3-bos"}, {7008, kUdp, "afs3-update"}, {7009, kUdp, "afs3-rmtsys"},
    {7100, kTcp, "font-service"}, {7100, kTcp, "xfs"}, {8080, kTcp, "http-alt"},
    {8080, kTcp, "webcache"}, {8140, kTcp, "puppet"}, {9101, kTcp, "bacula-dir"},
    {9102, kTcp, "bacula-fd"}, {9103, kTcp, "bacula-sd"}, {9667, kTcp, "xmms2"},
    {10809, kTcp, "nbd"}, {10050, kTcp, "zabbix-agent"}, {10051, kTcp, "zabbix-trapper"},
    {10080, kTcp, "amanda"}, {11112, kTcp, "dicom"}, {11371, kTcp, "hkp"}, {17500, kTcp, "db-lsp"},
    {22125, kTcp, "dcap"}, {22128, kTcp, "gsidcap"}, {22273, kTcp, "wnn6"},
    {750, kBoth, "kerberos4"}, {750, kBoth, "kerberos-iv"}, {750, kBoth, "kdc"},
    {751, kBoth, "kerberos-master"}, {751, kUdp, "kerberos_master"}, {752, kUdp, "passwd-server"},
    {752, kUdp, "passwd_server"}, {754, kTcp, "krb-prop"}, {754, kTcp, "krb_prop"},
    {754, kTcp, "krb5_prop"}, {754, kTcp, "hprop"}, {2102, kUdp, "zephyr-srv"},
    {2103, kUdp, "zephyr-clt"}, {2104, kUdp, "zephyr-hm"}, {2121, kTcp, "iprop"},
    {871, kTcp, "supfilesrv"}, {1127, kTcp, "supfiledbg"}, {106, kTcp, "poppassd"},
    {775, kTcp, "moira-db"}, {775, kTcp, "moira_db"}, {777, kTcp, "moira-update"},
    {777, kTcp, "moira_update"}, {779, kUdp, "moira-ureg"}, {779, kUdp, "moira_ureg"},
    {783, kTcp, "spamd"}, {1178, kTcp, "skkserv"}, {1210, kUdp, "predict"}, {1236, kTcp, "rmtcfg"},
    {1313, kTcp, "xtel"}, {1314, kTcp, "xtelw"}, {2600, kTcp, "zebrasrv"}, {2601, kTcp, "zebra"},
    {2602, kTcp, "ripd"}, {2603, kTcp, "ripngd"}, {2604, kTcp, "ospfd"}, {2605, kTcp, "bgpd"},
    {2606, kTcp, "ospf6d"}, {2607, kTcp, "ospfapi"}, {2608, kTcp, "isisd"}, {4557, kTcp, "fax"},
    {4559, kTcp, "hylafax"}, {4949, kTcp, "munin"}, {4949, kTcp, "lrrd"}, {5555, kUdp, "rplay"},
    {5666, kTcp, "nrpe"}, {5667, kTcp, "nsca"}, {5680, kTcp, "canna"}, {6514, kTcp, "syslog-tls"},
    {6566, kTcp, "sane-port"}, {6566, kTcp, "sane"}, {6566, kTcp, "saned"}, {6667, kTcp, "ircd"},
    {8021, kTcp, "zope-ftp"}, {8081, kTcp, "tproxy"}, {8088, kTcp, "omniorb"},
    {8990, kTcp, "clc-build-daemon"}, {9098, kTcp, "xinetd"}, {9418, kTcp, "git"},
    {9673, kTcp, "zope"}, {10000, kTcp, "webmin"}, {10081, kTcp, "kamanda"},
    {10082, kTcp, "amandaidx"}, {10083, kTcp, "amidxtape"}, {17001, kUdp, "sgi-cmsd"},
    {17002, kUdp, "sgi-crsd"}, {17003, kUdp, "sgi-gcd"}, {17004, kTcp, "sgi-cad"},
    {24554, kTcp, "binkp"}, {27374, kBoth, "asp"}, {30865, kTcp, "csync2"},
    {57000, kTcp, "dircproxy"}, {60177, kTcp, "tfido"}, {60179, kTcp, "fido"},
};
// clang-format on

std::uint8_t protocols_of(std::uint8_t protocol) {
    switch (protocol) {
        case 0:
            return kAnyProtocol;
        case proto::kTcp:
            return kTcp;
        case proto::kUdp:
            return kUdp;
        case proto::kSctp:
            return kSctp;
        default:
            return 0;
    }
}

}  // namespace

std::optional<std::uint16_t> service_port(std::string_view name, std::uint8_t protocol) {
    const std::uint8_t wanted = protocols_of(protocol);
    for (const Service& row : kServices) {
        if (row.name == name && (row.protocols & wanted) != 0) {
            return row.port;
        }
    }
    return std::nullopt;
}

std::string_view service_name(std::uint16_t port, std::uint8_t protocol) {
    const std::uint8_t wanted = protocol == 0 ? 0 : protocols_of(protocol);
    for (const Service& row : kServices) {
        if (row.port == port && (row.protocols & wanted) != 0) {
            return row.name;
        }
    }
    return {};
}

}  // namespace nsr::rules
