#include "router/capture/capture.hpp"

#include <pcap/pcap.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <istream>
#include <streambuf>

namespace nsr::router {
namespace {

struct CloseFile {
    void operator()(std::FILE* file) const {
        if (file != stdin) {
            std::fclose(file);
        }
    }
};
using File = std::unique_ptr<std::FILE, CloseFile>;

// A C file, which is what libpcap reads, as a stream.
class FileBuffer : public std::streambuf {
  public:
    explicit FileBuffer(File file) : file_(std::move(file)) {}

  protected:
    int_type underflow() override {
        const std::size_t count = std::fread(bytes_.data(), 1, bytes_.size(), file_.get());
        setg(bytes_.data(), bytes_.data(), bytes_.data() + count);
        return count == 0 ? traits_type::eof() : traits_type::to_int_type(bytes_[0]);
    }
    // Many bytes go to where they are wanted at once.
    std::streamsize xsgetn(char* to, std::streamsize wanted) override {
        const std::streamsize here = std::min<std::streamsize>(wanted, egptr() - gptr());
        std::copy_n(gptr(), here, to);
        gbump(static_cast<int>(here));
        const auto missing = static_cast<std::size_t>(wanted - here);
        return here + static_cast<std::streamsize>(std::fread(to + here, 1, missing, file_.get()));
    }

  private:
    File file_;
    std::array<char, 4096> bytes_{};
};

// pcapng from a file that is kept open.
class PcapngFile : public FrameSource {
  public:
    explicit PcapngFile(File file) : buffer_(std::move(file)) {}
    bool next(Frame& frame) override { return reader_.next(frame); }
    [[nodiscard]] const std::string& error() const override { return reader_.error(); }

  private:
    FileBuffer buffer_;
    std::istream in_{&buffer_};
    PcapngReader reader_{in_};
};

enum class Format : std::uint8_t { Pcapng, Microseconds, Nanoseconds, Unknown };
Format format_of(std::FILE* file);

class ClassicFile : public FrameSource {
  public:
    ClassicFile(File file, const std::string& path, Format format);
    ~ClassicFile() override;
    ClassicFile(const ClassicFile&) = delete;
    ClassicFile& operator=(const ClassicFile&) = delete;

    bool next(Frame& frame) override;
    [[nodiscard]] const std::string& error() const override { return error_; }

  private:
    pcap_t* pcap_ = nullptr;
    std::int64_t units_per_second_;
    std::uint32_t packets_ = 0;
    std::string error_;
};

}  // namespace

std::string Capture::begin() {
    Frame first;
    if (!source_->next(first)) {
        return {};
    }
    ahead_ = first;
    return filter_.prepare(first.link_type);
}

bool Capture::next_raw(Frame& frame) {
    if (ahead_) {
        frame = *ahead_;
        ahead_.reset();
        return true;
    }
    return source_->next(frame);
}

bool Capture::next(Frame& frame) {
    while (error_.empty() && next_raw(frame)) {
        if (!filter_.passes_all()) {
            if (const std::string wrong = filter_.prepare(frame.link_type); !wrong.empty()) {
                return fail(frame, wrong);
            }
            if (!filter_.passes(frame)) {
                ++filtered_;
                continue;
            }
        }
        const Unwrapped inner = unwrap(frame.link_type, frame.bytes);
        if (!inner.error.empty()) {
            return fail(frame, inner.error);
        }
        if (!inner.ip_offset) {
            ++not_ip_[inner.content];
            continue;
        }
        frame.bytes = frame.bytes.subspan(*inner.ip_offset);
        return true;
    }
    return false;
}

bool Capture::fail(const Frame& frame, const std::string& what) {
    error_ = "packet " + std::to_string(frame.index) + ": " + what;
    return false;
}

std::string Capture::skipped() const {
    constexpr std::size_t kMostKinds = 8;
    std::vector<std::pair<std::uint64_t, std::string_view>> kinds;
    std::uint64_t total = 0;
    for (const auto& [content, count] : not_ip_) {
        kinds.emplace_back(count, content);
        total += count;
    }
    if (total == 0) {
        return {};
    }
    std::stable_sort(kinds.begin(), kinds.end(),
                     [](const auto& a, const auto& b) { return a.first > b.first; });
    std::string text =
        std::to_string(total) + (total == 1 ? " packet skipped:" : " packets skipped:");
    std::uint64_t others = total;
    for (std::size_t i = 0; i < std::min(kinds.size(), kMostKinds); ++i) {
        text += (i == 0 ? " " : ", ") + std::to_string(kinds[i].first) + " ";
        text += kinds[i].second;
        others -= kinds[i].first;
    }
    return others == 0 ? text : text + ", " + std::to_string(others) + " others";
}

Result<std::unique_ptr<Capture>, std::string> open_capture(const std::string& path,
                                                           const std::string& filter) {
    errno = 0;
    File file(path == "-" ? stdin : std::fopen(path.c_str(), "rbe"));
    if (!file) {
        return path + ": " + std::strerror(errno != 0 ? errno : EIO);
    }
    const Format format = format_of(file.get());
    if (format == Format::Unknown) {
        const int error = std::ferror(file.get()) != 0 ? errno : 0;  // of a directory: EISDIR
        return path + ": " + (error != 0 ? std::strerror(error) : "neither pcapng nor pcap");
    }
    std::unique_ptr<FrameSource> source;
    if (format == Format::Pcapng) {
        source = std::make_unique<PcapngFile>(std::move(file));
    } else {
        source = std::make_unique<ClassicFile>(std::move(file), path, format);
    }
    if (!source->error().empty()) {
        return source->error();
    }
    auto capture = std::make_unique<Capture>(std::move(source), filter);
    if (std::string wrong = capture->begin(); !wrong.empty()) {
        return wrong;
    }
    return capture;
}

std::unique_ptr<Capture> capture_from(std::istream& in, const std::string& filter) {
    return std::make_unique<Capture>(std::make_unique<PcapngReader>(in), filter);
}

namespace {

// What it has read goes back: the C library takes back what was just read from its buffer.
Format format_of(std::FILE* file) {
    std::array<unsigned char, 4> magic{};
    const std::size_t count = std::fread(magic.data(), 1, magic.size(), file);
    for (std::size_t i = count; i > 0; --i) {
        std::ungetc(magic[i - 1], file);
    }
    const std::uint32_t value = static_cast<std::uint32_t>(magic[0]) << 24 |
                                static_cast<std::uint32_t>(magic[1]) << 16 |
                                static_cast<std::uint32_t>(magic[2]) << 8 | magic[3];
    switch (value) {
        case 0x0a0d0d0a:
            return Format::Pcapng;
        case 0xa1b2c3d4:  // either byte order; then the modified format
        case 0xd4c3b2a1:
        case 0xa1b2cd34:
        case 0x34cdb2a1:
            return Format::Microseconds;
        case 0xa1b23c4d:
        case 0x4d3cb2a1:
            return Format::Nanoseconds;
        default:
            return Format::Unknown;
    }
}

// In the file's own precision: the library's conversion would hide a fraction beyond a second.
ClassicFile::ClassicFile(File file, const std::string& path, Format format)
    : units_per_second_(format == Format::Nanoseconds ? 1'000'000'000 : 1'000'000) {
    std::array<char, PCAP_ERRBUF_SIZE> why{};
    pcap_ = pcap_fopen_offline_with_tstamp_precision(
        file.get(),
        format == Format::Nanoseconds ? PCAP_TSTAMP_PRECISION_NANO : PCAP_TSTAMP_PRECISION_MICRO,
        why.data());
    if (pcap_ == nullptr) {
        error_ = path + ": " + why.data();
    } else {
        (void)file.release();  // the library's now; it closes all but standard input
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
    // The library takes both 32-bit fields for signed numbers.
    const std::int64_t seconds = static_cast<std::uint32_t>(header->ts.tv_sec);
    const std::int64_t fraction = static_cast<std::uint32_t>(header->ts.tv_usec);
    if (fraction >= units_per_second_) {
        error_ = "packet " + std::to_string(packets_) + ": its time has " +
                 std::to_string(fraction) +
                 (units_per_second_ == 1'000'000 ? " microseconds" : " nanoseconds") +
                 " beside the seconds, a whole second or more";
        return false;
    }
    frame.index = packets_++;
    frame.time_ns = seconds * 1'000'000'000 + fraction * (1'000'000'000 / units_per_second_);
    frame.interface = {};
    frame.link_type = static_cast<std::uint32_t>(pcap_datalink(pcap_));
    frame.original_length = header->len;
    frame.bytes = {data, header->caplen};
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
