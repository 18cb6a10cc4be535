#include "router/capture.hpp"

#include <pcap/pcap.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

namespace nsr::router {
namespace {

// pcapng from a file that is kept open.
class PcapngFile : public FrameSource {
  public:
    explicit PcapngFile(std::unique_ptr<std::istream> in) : in_(std::move(in)), reader_(*in_) {}
    bool next(Frame& frame) override { return reader_.next(frame); }
    [[nodiscard]] const std::string& error() const override { return reader_.error(); }

  private:
    std::unique_ptr<std::istream> in_;
    PcapngReader reader_;
};

class ClassicFile : public FrameSource {
  public:
    explicit ClassicFile(const std::string& path);
    ~ClassicFile() override;
    ClassicFile(const ClassicFile&) = delete;
    ClassicFile& operator=(const ClassicFile&) = delete;

    bool next(Frame& frame) override;
    [[nodiscard]] const std::string& error() const override { return error_; }

  private:
    pcap_t* pcap_ = nullptr;
    std::uint32_t packets_ = 0;
    std::string error_;
};

enum class Format : std::uint8_t { Pcapng, Classic, Unknown };
Format format_of(std::istream& in);

}  // namespace

bool Capture::next(Frame& frame) {
    while (error_.empty() && source_->next(frame)) {
        const std::string where = "packet " + std::to_string(frame.index) + ": ";
        if (const std::string wrong = filter_.prepare(frame.link_type); !wrong.empty()) {
            error_ = where + wrong;
            return false;
        }
        if (!filter_.passes(frame)) {
            ++filtered_;
            continue;
        }
        const Unwrapped inner = unwrap(frame.link_type, frame.bytes);
        if (!inner.error.empty()) {
            error_ = where + inner.error;
            return false;
        }
        if (!inner.ip_offset) {
            ++not_ip_;
            continue;
        }
        frame.bytes.erase(frame.bytes.begin(),
                          frame.bytes.begin() + static_cast<std::ptrdiff_t>(*inner.ip_offset));
        return true;
    }
    return false;
}

Result<std::unique_ptr<Capture>, std::string> open_capture(const std::string& path,
                                                           const std::string& filter) {
    errno = 0;
    auto file = std::make_unique<std::ifstream>(path, std::ios::binary);
    if (!*file) {
        return path + ": " + std::strerror(errno != 0 ? errno : EIO);
    }
    const Format format = format_of(*file);
    if (format == Format::Unknown) {
        return path + ": neither pcapng nor pcap";
    }
    std::unique_ptr<FrameSource> source;
    if (format == Format::Pcapng) {
        source = std::make_unique<PcapngFile>(std::move(file));
    } else {
        source = std::make_unique<ClassicFile>(path);
    }
    if (!source->error().empty()) {
        return source->error();
    }
    return std::make_unique<Capture>(std::move(source), filter);
}

std::unique_ptr<Capture> capture_from(std::istream& in, const std::string& filter) {
    return std::make_unique<Capture>(std::make_unique<PcapngReader>(in), filter);
}

namespace {

Format format_of(std::istream& in) {
    std::array<unsigned char, 4> magic{};
    in.read(reinterpret_cast<char*>(magic.data()), magic.size());
    in.clear();
    in.seekg(0);
    const std::uint32_t value = static_cast<std::uint32_t>(magic[0]) << 24 |
                                static_cast<std::uint32_t>(magic[1]) << 16 |
                                static_cast<std::uint32_t>(magic[2]) << 8 | magic[3];
    switch (value) {
        case 0x0a0d0d0a:
            return Format::Pcapng;
        case 0xa1b2c3d4:  // microseconds, nanoseconds, modified; either byte order
        case 0xd4c3b2a1:
        case 0xa1b23c4d:
        case 0x4d3cb2a1:
        case 0xa1b2cd34:
        case 0x34cdb2a1:
            return Format::Classic;
        default:
            return Format::Unknown;
    }
}

ClassicFile::ClassicFile(const std::string& path) {
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    pcap_ = pcap_open_offline_with_tstamp_precision(path.c_str(), PCAP_TSTAMP_PRECISION_NANO,
                                                    why.data());
    if (pcap_ == nullptr) {
        error_ = path + ": " + why.data();
    }
}

ClassicFile::~ClassicFile() {
    if (pcap_ != nullptr) {
        pcap_close(pcap_);
    }
}

bool ClassicFile::next(Frame& frame) {
    if (pcap_ == nullptr) {
        return false;
    }
    pcap_pkthdr* header = nullptr;
    const unsigned char* data = nullptr;
    const int answer = pcap_next_ex(pcap_, &header, &data);
    if (answer != 1) {
        if (answer == PCAP_ERROR) {
            error_ = "packet " + std::to_string(packets_) + ": " + pcap_geterr(pcap_);
        }
        return false;
    }
    frame.index = packets_++;
    frame.time_ns = header->ts.tv_sec * 1'000'000'000LL + header->ts.tv_usec;
    frame.interface.clear();
    frame.link_type = static_cast<std::uint32_t>(pcap_datalink(pcap_));
    frame.original_length = header->len;
    frame.bytes.assign(data, data + header->caplen);
    return true;
}

}  // namespace

struct CaptureFilter::Compiled {
    std::uint32_t link_type = 0;
    bpf_program program{};

    Compiled() = default;
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;
    ~Compiled() { pcap_freecode(&program); }
};

CaptureFilter::CaptureFilter(std::string expression) : expression_(std::move(expression)) {
}
CaptureFilter::~CaptureFilter() = default;

std::string CaptureFilter::prepare(std::uint32_t link_type) {
    if (expression_.empty()) {
        return "";
    }
    for (const auto& known : compiled_) {
        if (known->link_type == link_type) {
            return "";
        }
    }
    // A file says LINKTYPE_RAW, the library's own name for it is DLT_RAW.
    constexpr std::uint32_t kLinkTypeRaw = 101;
    const int dlt = link_type == kLinkTypeRaw ? DLT_RAW : static_cast<int>(link_type);
    pcap_t* dead = pcap_open_dead(dlt, 262144);
    auto compiled = std::make_unique<Compiled>();
    compiled->link_type = link_type;
    std::string why;
    if (pcap_compile(dead, &compiled->program, expression_.c_str(), 1, PCAP_NETMASK_UNKNOWN) != 0) {
        why = "filter \"" + expression_ + "\": " + pcap_geterr(dead);
    }
    pcap_close(dead);
    compiled_.push_back(std::move(compiled));
    return why;
}

bool CaptureFilter::passes(const Frame& frame) const {
    for (const auto& known : compiled_) {
        if (known->link_type == frame.link_type) {
            pcap_pkthdr header{};
            header.caplen = static_cast<bpf_u_int32>(frame.bytes.size());
            header.len = std::max(frame.original_length, header.caplen);
            return pcap_offline_filter(&known->program, &header, frame.bytes.data()) != 0;
        }
    }
    return true;
}

}  // namespace nsr::router
